"""`foretaste simulate`: made-up traffic to a service, a stream, a file or a home."""

import math
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from foretaste.adapters.files.timestamps import as_datetime, micros_of
from foretaste.app.cli.console import Screen
from foretaste.app.settings_loading import load_settings
from foretaste.app.simulating import Simulation, SimulationReport, Target
from foretaste.app.simulation_http import HttpTarget
from foretaste.app.simulation_targets import FileTarget, HomeTarget, StreamTarget
from foretaste.app.worker_wiring import streams_of
from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import InvalidInputError
from foretaste.testing.simulator.judging import Judgement
from foretaste.testing.simulator.scenery import Scenery
from foretaste.testing.simulator.world import World


def run(
    *,
    target: str,
    start: str | None,
    live: bool,
    batch: int,
    concurrency: int,
    judge: int,
    as_json: bool,
    **numbers: Any,
) -> None:
    """Send a simulation of these `numbers` (those of `Scenery`) and say what became of it."""
    screen = Screen(as_json=as_json)
    began = time.monotonic()
    scenery = _scenery(numbers, start, live=live)
    world = World(scenery)
    with closing(_opened(target, concurrency)) as opened:
        simulation = Simulation(world, opened, batch=batch, live=live)
        with screen.progress("simulating") as advance:
            counts = simulation.run(advance)
        judgement = simulation.judge(min(judge, scenery.users)) if judge else None
    report = SimulationReport(
        target=target,
        start=scenery.start,
        seed=scenery.seed,
        seconds=round(time.monotonic() - began, 3),
        judgement=judgement,
        **{name: counts[name] for name in COUNTED},
    )
    screen.result(report, _words(report))


COUNTED = ("events", "deliveries", "accepted", "duplicates", "rejected", "retried")


def _scenery(numbers: dict[str, Any], start: str | None, *, live: bool) -> Scenery:
    """Return what was asked for, ending now unless it has a start. Raises `InvalidInputError`."""
    if live and start is not None:
        raise InvalidInputError("--live begins now; leave --start out", field="start")
    for name in ("rate", "duration"):
        if not math.isfinite(numbers[name]):
            raise InvalidInputError(f"--{name} must be a finite number", field=name)
    now = system_clock()
    if start is not None:
        begin = micros_of(start)
    else:
        begin = now if live else now - round(numbers["duration"] * MICROS_PER_SECOND)
    if begin < 0:
        raise InvalidInputError(
            "the simulation would begin before 1970; let it start later, or last shorter", field="start"
        )
    try:
        scenery = msgspec.convert({**numbers, "start": begin}, Scenery)
    except msgspec.ValidationError as error:
        raise InvalidInputError(f"this cannot be simulated: {error}") from error
    if not live and scenery.end > now:
        raise InvalidInputError(
            f"the simulation begins at {as_datetime(begin).isoformat()} and would end in the future; "
            "let it start earlier, or last shorter",
            field="start",
        )
    return scenery


def _opened(target: str, concurrency: int) -> Target:
    scheme, there, _ = target.partition("://")
    if not there:
        return FileTarget(Path(target)) if target.endswith(".jsonl") else HomeTarget(Path(target))
    if scheme == "kafka":
        streams = streams_of(msgspec.structs.replace(load_settings(), kafka_url=target))
        streams.make_topics()
        return StreamTarget(streams.sink(streams.topics.events), target)
    return HttpTarget(target, concurrency=concurrency)


def _words(report: SimulationReport) -> str:
    twice = report.deliveries - report.events
    parts = [
        f"{report.events:,} events sent to {report.target}, {twice:,} of them twice",
        f"{report.accepted:,} accepted, {report.duplicates:,} known, {report.rejected:,} rejected",
    ]
    if report.retried:
        parts.append(f"{report.retried:,} requests sent again")
    start = as_datetime(report.start).isoformat()
    parts.append(f"again: --seed {report.seed} --start {start} ({report.seconds:.1f} s)")
    lines = ["; ".join(parts)]
    if report.judgement:
        lines.append(judgement_words(report.judgement))
    return "\n".join(lines)


def judgement_words(judgement: Judgement) -> str:
    """Return in words how good the slates were."""
    share = judgement.share
    way = "popularity is as good as can be" if share is None else f"{share:.0%} of the way"
    return (
        f"the next choice of {judgement.people:,} people is on their slate of {judgement.k} with a chance of "
        f"{judgement.reward:.3f}; popularity {judgement.popular:.3f}, the best there can be "
        f"{judgement.oracle:.3f}: {way}"
    )
