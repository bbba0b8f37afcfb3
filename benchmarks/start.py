"""How long until it serves, and in how much memory: `python benchmarks/start.py [--events 1000000] [--json]`.

Measured from the start of the process to the first complete answer over HTTP:

- demo, data cached: `foretaste demo` trains and serves MovieLens-100K, with and without compiled kernels;
- restart: `foretaste serve` on a home with that many events, with its snapshot and without.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from foretaste.app.wiring import open_home
from foretaste.domain.event import Event
from server_process import free_port

FORETASTE = str(Path(sys.executable).with_name("foretaste"))
USERS, ITEMS, BATCH = 50_000, 10_000, 10_000


def started(arguments: list[str], path: str, environment: dict[str, str]) -> dict[str, Any]:
    """Start a server, ask for `path` until it answers; return seconds and memory in MB."""
    port = free_port()
    begun = time.perf_counter()
    process = subprocess.Popen(
        [FORETASTE, *arguments, "--port", str(port)],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        answer = first_answer(process, f"http://127.0.0.1:{port}{path}")
        seconds = time.perf_counter() - begun
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        if not answer["items"]:
            raise RuntimeError(f"{path} was answered without items")
        return {"seconds": round(seconds, 2), "memory_mb": round(memory / 1024)}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def first_answer(process: "subprocess.Popen[bytes]", url: str, seconds: float = 120.0) -> Any:
    """Return the first answer; raise `RuntimeError` if the server ends or so many seconds pass."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - a fixed local address
                return json.load(response)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.02)
    raise RuntimeError(f"{url} did not answer")


def fill(directory: Path, n_events: int) -> None:
    """Write a log of `n_events` events of a believable shape: popular items, active users."""
    draw = np.random.default_rng(0)
    users = (draw.pareto(1.2, n_events) * 200).astype(np.int64) % USERS
    items = (draw.pareto(1.0, n_events) * 100).astype(np.int64) % ITEMS
    begin = 1_700_000_000_000_000
    with open_home(directory, create=True) as home:
        for start in range(0, n_events, BATCH):
            home.log.submit(
                [
                    Event(
                        event_id=f"e{number}",
                        user_id=f"u{users[number]}",
                        item_id=f"i{items[number]}",
                        type="click",
                        timestamp=begin + number * 1_000_000,
                    )
                    for number in range(start, min(start + BATCH, n_events))
                ]
            ).result()


def measure(n_events: int) -> dict[str, Any]:
    """Return all figures."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        cold = {"NUMBA_CACHE_DIR": str(root / "kernels")}
        for name, environment in (("demo, kernels to compile", cold), ("demo, kernels compiled", cold)):
            home = root / name.replace(" ", "-")
            demo = ["demo", "--no-open", "--home", str(home)]
            figures[name] = started(demo, "/recommend/196", environment)
        figures["demo, trained before"] = started(demo, "/recommend/196", cold)
        fill(root / "large", n_events)
        serve = ["serve", "--home", str(root / "large")]
        figures[f"restart, {n_events:,} events, snapshot"] = started(serve, "/recommend/u1", {})
        for snapshot in (root / "large").rglob("state.safetensors"):
            snapshot.unlink()
        figures[f"restart, {n_events:,} events, from the log"] = started(serve, "/recommend/u1", {})
        shutil.rmtree(root / "large")
    return figures


def main() -> int:
    """Print the figures as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.events)
    if options.json:
        print(json.dumps(figures))
        return 0
    print("| start | to the first answer | memory |\n|---|---:|---:|")
    for name, figure in figures.items():
        print(f"| {name} | {figure['seconds']:.1f} s | {figure['memory_mb']} MB |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
