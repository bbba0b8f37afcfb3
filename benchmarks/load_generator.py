"""A small HTTP/1.1 load generator: keep-alive connections, raw bytes in, status and latency out.

It runs in a process of its own, so that its work is not counted with the server's:
`python load_generator.py PORT requests.jsonl --connections 16 --seconds 5`. In the closed loop every
connection sends its next request when the last answer is complete; with `--rate` requests leave at
constant intervals whatever the server does (open loop), and latency counts from the planned moment.

What it is made up of is told too, for good answers: `late` from the planned moment until the generator came
to it, `held` until a connection was free, `wire` from when it was sent until it was answered.
"""

import argparse
import asyncio
import itertools
import json
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

ACCEPTED = 202
TICK_SECONDS = 0.001
"""How often the open loop looks what is due; uvloop rounds less than a millisecond to nothing, and spins."""


@dataclass
class Tally:
    """What came back."""

    latencies: list[float] = field(default_factory=list)
    good: list[float] = field(default_factory=list)
    """Latencies of what was not refused; of what these are made up is in the three below."""
    answers: list[float] = field(default_factory=list)
    events: list[float] = field(default_factory=list)
    """Of these, latencies of what was answered (200), and of what was stored before (202)."""
    late: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    wire: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    received: int = 0


def encode_request(method: str, path: str, body: bytes = b"", headers: str = "") -> bytes:
    """Return the bytes of one HTTP/1.1 request with a JSON body."""
    content = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}{content}\r\n".encode() + body


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way, over `transport` once it is made."""

    transport: asyncio.WriteTransport

    def __init__(self, requests: Iterator[bytes], tally: Tally, *, closed_loop: bool) -> None:
        self.requests, self.tally, self.closed_loop = requests, tally, closed_loop
        self.buffer, self.stopped = bytearray(), False
        self.planned = self.begun = self.sent = 0.0
        self.waiting: deque[tuple[float, float]] = deque()
        self.idle = asyncio.Event()
        self.idle.set()

    def start(self, planned: float) -> None:
        """Send the next request now, or when the one under way is answered."""
        now = time.perf_counter()
        if self.idle.is_set():
            self.send(planned, now)
        else:
            self.waiting.append((planned, now))

    def send(self, planned: float, begun: float) -> None:
        """Send the next request, which the generator came to at `begun`."""
        self.idle.clear()
        self.planned, self.begun, self.sent = planned, begun, time.perf_counter()
        self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        """Take bytes until an answer is complete."""
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end]).lower()
        at = head.find(b"content-length:")
        length = (
            int(head[at + 15 : head.find(b"\r\n", at) if b"\r\n" in head[at:] else None]) if at >= 0 else 0
        )
        if len(self.buffer) < end + 4 + length:
            return
        self.tally.received += len(self.buffer)
        del self.buffer[: end + 4 + length]
        self.answered(int(head[9:12]))

    def answered(self, status: int) -> None:
        """Note the answer and go on."""
        now, tally = time.perf_counter(), self.tally
        tally.latencies.append(now - self.planned)
        if status < 400:
            tally.good.append(now - self.planned)
            kind = tally.events if status == ACCEPTED else tally.answers
            kind.append(now - self.planned)
            tally.late.append(self.begun - self.planned)
            tally.held.append(self.sent - self.begun)
            tally.wire.append(now - self.sent)
        tally.statuses[status] += 1
        self.idle.set()
        if self.waiting:
            self.send(*self.waiting.popleft())
        elif self.closed_loop and not self.stopped:
            self.start(now)


async def closed_loop(connections: list[Connection], seconds: float) -> None:
    """Keep every connection busy for `seconds`."""
    for connection in connections:
        connection.start(time.perf_counter())
    await asyncio.sleep(seconds)
    for connection in connections:
        connection.stopped = True
    await asyncio.gather(*(connection.idle.wait() for connection in connections))


async def open_loop(connections: list[Connection], seconds: float, rate: float) -> None:
    """Send `rate` requests per second, whether or not earlier ones were answered."""
    start = time.perf_counter()
    turns = itertools.cycle(connections)
    sent, total = 0, int(seconds * rate)
    while sent < total:
        due = min(total, int((time.perf_counter() - start) * rate) + 1)
        while sent < due:
            connection = next(
                (c for c in itertools.islice(turns, len(connections)) if c.idle.is_set()), next(turns)
            )
            connection.start(start + sent / rate)
            sent += 1
        await asyncio.sleep(TICK_SECONDS)
    await asyncio.gather(*(connection.idle.wait() for connection in connections))


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` of `values` lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


async def run(
    port: int, requests: list[bytes], connections: int, seconds: float, rate: float | None
) -> dict[str, Any]:
    """Load the server and summarize: requests, seconds, rate, statuses and latencies in milliseconds."""
    loop, tally, source = asyncio.get_running_loop(), Tally(), itertools.cycle(requests)
    opened = []
    for _ in range(connections):
        transport, connection = await loop.create_connection(
            lambda: Connection(source, tally, closed_loop=rate is None), "127.0.0.1", port
        )
        connection.transport = transport
        opened.append(connection)
    started, spent = time.perf_counter(), time.process_time()
    await (closed_loop(opened, seconds) if rate is None else open_loop(opened, seconds, rate))
    elapsed = time.perf_counter() - started
    for connection in opened:
        connection.transport.close()
    return {
        "requests": len(tally.latencies),
        "seconds": round(elapsed, 3),
        "per_second": round(len(tally.latencies) / elapsed, 1),
        "statuses": {str(status): number for status, number in sorted(tally.statuses.items())},
        "mean_ms": round(1000 * sum(tally.latencies) / max(1, len(tally.latencies)), 3),
        "p50_ms": round(1000 * percentile(tally.latencies, 0.50), 3),
        "p95_ms": round(1000 * percentile(tally.latencies, 0.95), 3),
        "p99_ms": round(1000 * percentile(tally.latencies, 0.99), 3),
        "good": len(tally.good),
        "good_p50_ms": round(1000 * percentile(tally.good, 0.50), 3),
        "good_p99_ms": round(1000 * percentile(tally.good, 0.99), 3),
        "answers_p99_ms": round(1000 * percentile(tally.answers, 0.99), 3),
        "events_p99_ms": round(1000 * percentile(tally.events, 0.99), 3),
        "late_p99_ms": round(1000 * percentile(tally.late, 0.99), 3),
        "held_p99_ms": round(1000 * percentile(tally.held, 0.99), 3),
        "wire_p50_ms": round(1000 * percentile(tally.wire, 0.50), 3),
        "wire_p99_ms": round(1000 * percentile(tally.wire, 0.99), 3),
        "generator_cpu": round((time.process_time() - spent) / elapsed, 3),
        "bytes_per_answer": tally.received // max(1, len(tally.latencies)),
    }


def main() -> None:
    """Run as a command: print the summary as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("requests", type=Path, help="JSON Lines: {method, path, body?}")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument(
        "--rate", type=float, default=None, help="requests per second; leave out for a closed loop"
    )
    given = parser.parse_args()
    rows = (json.loads(line) for line in given.requests.read_text().splitlines())
    requests = [
        encode_request(
            row["method"],
            row["path"],
            row["body"].encode() if row.get("body") else b"",
            row.get("headers", ""),
        )
        for row in rows
    ]
    print(json.dumps(uvloop.run(run(given.port, requests, given.connections, given.seconds, given.rate))))


if __name__ == "__main__":
    main()
