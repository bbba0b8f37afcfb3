"""The command line of the pages."""

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def commands() -> Iterator[Path]:
    """A folder with a `foretaste` and a `python` that need not import everything anew for each command."""
    with TemporaryDirectory(prefix="foretaste-") as folder:
        client, address = Path(folder, "client.py"), Path(folder, "socket")
        shutil.copy(HERE / "forked_command.py", client)
        for name in ("foretaste", "python"):
            command = Path(folder, name)
            command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -IS "{client}" {name} "$@"\n')
            command.chmod(0o755)
        start = [sys.executable, "-W", "error", str(HERE / "forking_server.py"), str(address)]
        with subprocess.Popen(start, stdin=subprocess.PIPE) as server:
            while not address.exists():
                assert server.poll() is None, "the server of the commands did not start"
                time.sleep(0.05)
            yield Path(folder)
            assert server.stdin
            server.stdin.close()
