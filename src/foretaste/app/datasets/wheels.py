"""One file out of a package index, through pip where there is one."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from foretaste.domain.errors import UnavailableError

SECONDS = 120.0


def fetch_wheel(project: str, version: str, sha256: str) -> bytes:
    """Return the pure-Python wheel of a release, verified.

    Tries pip, which knows the machine's index and proxy, as a module of this Python, through uv, and
    from the path; then the index that `PIP_INDEX_URL` or `UV_DEFAULT_INDEX` names. Raises `UnavailableError`
    where none of them delivers.
    """
    reasons: list[str] = []
    for command in _pips():
        content, reason = _by_pip(command, project, version)
        if content is not None and hashlib.sha256(content).hexdigest() == sha256:
            return content
        reasons.append(reason or f"{command[0]}: another file than expected")
    content, reason = _by_index(project, version)
    if content is not None and hashlib.sha256(content).hexdigest() == sha256:
        return content
    reasons.append(reason or "index: another file than expected")
    raise UnavailableError(
        f"cannot download {project} {version} from a package index ({'; '.join(reasons)}). "
        "Check the network, install pip or uv, or set PIP_INDEX_URL to an index that can be reached",
        field="PIP_INDEX_URL",
    )


def _pips() -> Iterator[list[str]]:
    yield [sys.executable, "-m", "pip"]
    uv = shutil.which("uv")
    if uv:
        yield [uv, "tool", "run", "pip"]
    for name in ("pip3", "pip"):
        found = shutil.which(name)
        if found:
            yield [found]


def _by_pip(command: list[str], project: str, version: str) -> tuple[bytes | None, str]:
    with tempfile.TemporaryDirectory() as folder:
        options = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder]
        try:
            done = subprocess.run(  # noqa: S603 # a fixed command, the arguments are ours
                [*command, *options, f"{project}=={version}"],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, f"{command[0]}: {error}"
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            last = done.stderr.strip().rpartition("\n")[2]
            return None, f"{' '.join(command)}: {last}"
        return wheels[0].read_bytes(), ""


def _by_index(project: str, version: str) -> tuple[bytes | None, str]:
    chosen = os.environ.get("PIP_INDEX_URL") or os.environ.get("UV_DEFAULT_INDEX")
    if not chosen:
        return None, "no index is named"
    page_url = f"{chosen.rstrip('/')}/{project}/"
    try:
        page = download(page_url, SECONDS).decode("utf-8", "replace")
        file_name = re.escape(f"{project}-{version}-py3-none-any.whl")
        link = re.search(rf'href="([^"]*{file_name})(?:#[^"]*)?"', page)
        if link is None:
            return None, f"the index has no wheel of {project} {version}"
        return download(urllib.parse.urljoin(page_url, link[1]), SECONDS), ""
    except (OSError, ValueError) as error:
        return None, f"index: {error}"


def download(url: str, seconds: float) -> bytes:
    """Return what is at an http(s) `url`; raise `OSError` if it does not answer within `seconds`."""
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"{url}: not an http address")
    with urllib.request.urlopen(url, timeout=seconds) as answer:  # noqa: S310 # the scheme is checked above
        content: bytes = answer.read()
        return content
