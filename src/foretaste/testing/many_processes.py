"""`foretaste serve --workers N` as a process of its own, and its workers asked one by one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

from foretaste.testing.waiting import until

EVERYTHING = 50
"""As many items as one answer may have."""
_SECONDS = 60.0


class ManyProcesses:
    """A running service over `home`; `pid` is that of its supervisor."""

    def __init__(self, process: "subprocess.Popen[str]", home: Path, port: int) -> None:
        self._process = process
        self.home = home
        self.port = port
        self.pid = process.pid

    def processes(self) -> dict[str, int]:
        """Return the process id of the keeper and of each worker by name, as `keeper` and `reader-0`."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                *_, order = (entry / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            except (OSError, IndexError, ValueError):
                continue
            if parent == self.pid and order.startswith(b"{"):
                given = json.loads(order)
                if "role" not in given:  # just forked, it still has the supervisor's own command line
                    continue
                name = given["role"] if given["role"] == "keeper" else f"{given['role']}-{given['slot']}"
                found[name] = int(entry.name)
        return found

    def worker(self, name: str) -> "Worker":
        """Return a connection with the worker of that name, as soon as it takes one."""
        found = until(lambda: self._taken_by(name))
        assert found is not None
        return found

    def _taken_by(self, name: str) -> "Worker | None":
        """Return a new connection if that worker took it."""
        try:
            worker = Worker(self.port)
        except (OSError, HTTPException):
            return None
        if worker.process.startswith(name + "-"):
            return worker
        worker.close()
        return None

    def kill(self, name: str) -> None:
        """End one process at once."""
        os.kill(self.processes()[name], signal.SIGKILL)

    def end(self, seconds: float = _SECONDS) -> int:
        """Let the service end in order; return its exit code."""
        self._process.terminate()
        return self._process.wait(seconds)


class Worker:
    """One connection that is kept alive, so that always the same worker answers: `process` says which."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
        self.process = ""
        self.ask("GET", "/health/live")

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and content of an answer; another worker than before is an error."""
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, path, sent, {"content-type": "application/json"})
        answer = self._connection.getresponse()
        text = answer.read().decode()
        process = answer.headers["x-process"]
        assert self.process in {"", process}, f"{process} answered in place of {self.process}"
        self.process = process
        is_json = "json" in answer.headers.get("content-type", "")
        return answer.status, json.loads(text) if is_json and text else text

    def record(self, user_id: str, item_id: str, kind: str = "purchase") -> int:
        """Record an event and return the `state_seq` of its acknowledgement."""
        event = {"user_id": user_id, "item_id": item_id, "type": kind}
        return int(self._done("POST", "/events", event)["state_seq"])

    def put(self, item_id: str, **fields: object) -> int:
        """Put an item and return the version of the catalog."""
        return int(self._done("PUT", f"/items/{quote(item_id, safe='')}", fields)["catalog_version"])

    def delete(self, item_id: str) -> int:
        """Delete an item and return the version of the catalog."""
        return int(self._done("DELETE", f"/items/{quote(item_id, safe='')}")["catalog_version"])

    def recommend(self, user_id: str | None) -> tuple[str, int, list[str]]:
        """Return source, `state_seq` and items of an answer."""
        who = "" if user_id is None else f"/{quote(user_id, safe='')}"
        slate = self._done("GET", f"/recommend{who}?k={EVERYTHING}&dry_run=true")
        return slate["source"], slate["state_seq"], [item["item_id"] for item in slate["items"]]

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _done(self, method: str, path: str, body: object = None) -> Any:
        status, content = self.ask(method, path, body)
        assert status in {200, 202}, f"{method} {path}: {status} {content}"
        return content


@contextmanager
def many_processes(
    home: Path, workers: int, settings: Mapping[str, str] | None = None
) -> Iterator[ManyProcesses]:
    """Serve `home` with so many workers on a free port until the block ends."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("FORETASTE_")}
    command = [sys.executable, "-m", "foretaste.app.cli", "serve", "--home", str(home), "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 # this very package
        [*command, "--workers", str(workers), "--json"],
        stderr=subprocess.PIPE,
        text=True,
        env={**own, **(settings or {})},
    )
    try:
        yield ManyProcesses(process, home, until(lambda: _port(process)))
    finally:
        process.terminate()
        process.communicate(timeout=_SECONDS)


def _port(process: "subprocess.Popen[str]") -> int:
    """Return the port that the service announces on the next line of its standard error, 0 before it does."""
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line or process.poll() is None, f"the service ended with {process.returncode}"
    if '"serving"' not in line:
        return 0
    return int(json.loads(line)["address"].rpartition(":")[2])
