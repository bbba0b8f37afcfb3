"""The measures of all processes of one service, summed up."""

import asyncio
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from foretaste.app.processes.link import Call, Line, Reply
from foretaste.domain.errors import UnavailableError

ASK_SECONDS = 1.0
"""How long another process may take to tell its measures; then those that it told last are taken."""
SOCKET, LEFT = ".sock", ".prom"
METRICS_PATH = b"/metrics"
PROCESS = b"x-process"
"""The header that says which process answered: its name and its number."""
LARGEST = frozenset(
    {
        "state_seq",
        "replica_lag_seconds",
        "personalization_active_users",
        "online_store_trusted",
        "archive_lag_events",
        "archive_lag_seconds",
        "worker_leads",
        "process_start_time_seconds",
        "process_max_fds",
        "python_info",
    }
)
"""Gauges that say the same in every process: the largest is shown. All others are summed."""
_SAMPLE = re.compile(r"(?P<series>(?P<name>\w+)(?:\{.*\})?) (?P<value>\S+)", re.ASCII)
_SUFFIX = re.compile(r"_(?:bucket|sum|count)$")


def summed(living: Iterable[bytes], departed: Iterable[bytes] = ()) -> bytes:
    """Return the sum of expositions in Prometheus text format, series by series.

    Counters and histograms count those of `departed` processes too, so that a total never falls.
    """
    about: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    values: dict[str, dict[str, float]] = {}
    for is_living, text in [*((True, one) for one in living), *((False, one) for one in departed)]:
        for line in text.decode().splitlines():
            if line.startswith("#"):
                _, word, name, *rest = line.split(" ", 3)
                if name not in about or (word == "TYPE" and name not in kinds):
                    about.setdefault(name, []).append(line)
                if word == "TYPE":
                    kinds.setdefault(name, rest[0])
                continue
            found = _SAMPLE.match(line)
            if found is None:
                continue
            family = _family(found["name"], kinds)
            if is_living or kinds.get(family) in {"counter", "histogram"}:
                series = values.setdefault(family, {})
                _add(series, found["series"], float(found["value"]), largest=family in LARGEST)
    lines: list[str] = []
    for family, series in values.items():
        lines += about.get(family, [])
        lines += [f"{name} {value!r}" for name, value in series.items()]
    return "\n".join([*lines, ""]).encode()


def _add(series: dict[str, float], name: str, value: float, *, largest: bool) -> None:
    before = series.get(name)
    if before is None:
        series[name] = value
    else:
        series[name] = max(before, value) if largest else before + value


def _family(name: str, kinds: dict[str, str]) -> str:
    return name if name in kinds else _SUFFIX.sub("", name)


class Gathering:
    """Gathers the measures of the processes that meet in `folder`, of which this one is `own`.

    What a process told is left in a file of its own, so that the counts of one that died stay in the totals.
    """

    def __init__(self, folder: Path, own: str, exposition: Callable[[], bytes]) -> None:
        self.process = f"{own}-{os.getpid()}"
        self._folder = folder
        self._own = own
        self._exposition = exposition
        self._lines: dict[str, Line] = {}

    def tell(self) -> bytes:
        """Return the measures of this process, and leave them in its file."""
        told = self._exposition()
        partial = self._folder / f"{self.process}.partial"
        with suppress(OSError):
            partial.write_bytes(told)
            partial.replace(self._folder / f"{self.process}{LEFT}")
        return told

    def told(self, call: Call) -> Reply:
        """Return the measures of this process as the answer to `call`."""
        return Reply(call.number, 200, ((PROCESS, self.process.encode()),), self.tell())

    async def exposition(self) -> bytes:
        """Return the totals of all processes, those that are no more included."""
        names = [path.stem for path in sorted(self._folder.glob(f"*{SOCKET}")) if path.stem != self._own]
        replies = await asyncio.gather(*[self._ask(name) for name in names])
        living = {dict(reply.headers)[PROCESS].decode(): reply.body for reply in replies if reply is not None}
        living[self.process] = self.tell()
        left = [path for path in sorted(self._folder.glob(f"*{LEFT}")) if path.stem not in living]
        return summed(living.values(), [path.read_bytes() for path in left])

    async def close(self) -> None:
        """Let go of the other processes."""
        for line in self._lines.values():
            await line.close()

    async def _ask(self, name: str) -> Reply | None:
        line = self._lines.get(name)
        if line is None:
            line = self._lines[name] = Line(self._folder / f"{name}{SOCKET}", name)
        try:
            return await line.ask(Call(0, "GET", METRICS_PATH), ASK_SECONDS)
        except UnavailableError:
            return None
