"""Where compiled kernels are kept between runs."""

import os
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path

import numba

PACKAGE = Path(__file__).resolve().parents[1]


def use_cache_of_these_sources() -> None:
    """Keep compiled kernels in a folder named by a digest of the sources of all kernels.

    Numba looks only at the file of the kernel that is called, so that a kernel would go on with old code of
    another one it calls, after an upgrade. `NUMBA_CACHE_DIR`, if set, is left alone; where the folder cannot
    be made, Numba chooses by itself.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    base = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(base) if base else Path.home() / ".cache") / "foretaste" / "kernels" / _digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    vars(numba.config)["CACHE_DIR"] = str(folder)


def are_compiled() -> bool:
    """Return whether `note_compiled` was called before, by these sources on this machine."""
    mark = _mark()
    return mark is not None and mark.exists()


def note_compiled() -> None:
    """Take note that all kernels that are needed at first are compiled and kept."""
    mark = _mark()
    if mark is not None:
        with suppress(OSError):
            mark.touch()


def are_kept() -> bool:
    """Return whether what this process compiles is there for others too."""
    mark = _mark()
    return mark is not None and os.access(mark.parent, os.W_OK)


def _mark() -> Path | None:
    folder = vars(numba.config)["CACHE_DIR"]
    return Path(folder) / f"compiled-{_digest()}" if folder else None


@cache
def _digest() -> str:
    digest = blake2b(numba.__version__.encode(), digest_size=8)
    for source in sorted(PACKAGE.rglob("*.py")):
        text = source.read_bytes()
        if b"foretaste.domain.kernel" in text:
            digest.update(text)
    return digest.hexdigest()
