"""A server under test as a process of its own: its port, its CPU time, and load from yet another process."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def cpu_seconds(root: int) -> float:
    """CPU time of a process and its living descendants (from /proc)."""
    parents, times = {}, {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.name)] = int(fields[1])
        times[int(entry.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    family, grown = {root}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in family} - family
        grown = bool(more)
        family |= more
    return sum(times.get(member, 0.0) for member in family)


def free_port() -> int:
    """Return a port that is free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(process: "subprocess.Popen[bytes]", port: int, seconds: float = 60.0) -> None:
    """Return when the server listens; raise `RuntimeError` if it does not in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"the server did not listen on port {port} within {seconds:.0f} s")


def load(port: int, requests: Path, *arguments: str) -> dict[str, Any]:
    """Run the load generator; `arguments` are its own."""
    command = [sys.executable, str(HERE / "load_generator.py"), str(port), str(requests), *arguments]
    outcome: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return outcome
