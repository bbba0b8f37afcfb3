"""Where downloaded data is kept."""

import os
from pathlib import Path


def cache_directory() -> Path:
    """Return the folder for downloaded data, made if absent.

    It is `FORETASTE_CACHE`, else `foretaste` in `XDG_CACHE_HOME`, else `~/.cache/foretaste`.
    """
    chosen = os.environ.get("FORETASTE_CACHE")
    base = os.environ.get("XDG_CACHE_HOME")
    folder = Path(chosen) if chosen else (Path(base) if base else Path.home() / ".cache") / "foretaste"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
