"""`foretaste archive`: all events of a log, each once, into a Delta table."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event

import msgspec

from foretaste.app.archive_wiring import log_of_home, open_archive
from foretaste.app.archiving import ArchiveTask
from foretaste.app.cli.console import Screen, log_line
from foretaste.app.settings_loading import load_settings
from foretaste.domain.errors import UnavailableError

LOOK_SECONDS = 1.0
LONGEST_PAUSE = 60.0


class ArchiveReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did: events archived, and the number of the last one; files joined, files removed."""

    archive: str
    archived: int
    last_seq: int
    joined: int = 0
    removed: int = 0
    seconds: float = 0.0


def run(
    *,
    target: str | None,
    home: Path,
    watch: bool,
    patience: float,
    compact: bool,
    keep_days: float | None,
    as_json: bool,
) -> None:
    """Archive what is not yet; with `watch` go on until SIGINT or SIGTERM, then archive the rest."""
    screen = Screen(as_json=as_json)
    began = time.monotonic()
    settings = load_settings(home)
    log = log_of_home(home, settings)
    place = target or settings.archive_url
    archive = open_archive(place, namespace=settings.namespace)
    task = ArchiveTask(log, archive, patience=patience)
    archived = 0
    if watch:
        screen.say(f"archiving to {place}; Ctrl-C stops it")
        archived = _watched(task)
    archived += task.flush()
    joined = task.compact() if compact else 0
    removed = task.prune(timedelta(days=keep_days)) if keep_days is not None else 0
    report = ArchiveReport(
        archive=place,
        archived=archived,
        last_seq=archive.last_seq(),
        joined=joined,
        removed=removed,
        seconds=round(time.monotonic() - began, 3),
    )
    screen.result(report, _words(report))


def _watched(task: ArchiveTask) -> int:
    """Archive until told to stop; return how many events. A store that is away is tried ever more rarely."""
    archived, pause = 0, LOOK_SECONDS
    with _stop_signal() as stop:
        while not stop.wait(pause):
            try:
                done = task.run_once()
            except UnavailableError as error:
                pause = min(2 * pause, LONGEST_PAUSE)
                log_line(step="archive", error=error.message, again_in=pause)
                continue
            archived, pause = archived + done, LOOK_SECONDS
            if done:
                log_line(step="archive", archived=archived)
    return archived


@contextmanager
def _stop_signal() -> Iterator[Event]:
    """Give what SIGINT and SIGTERM set."""
    stop = Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _words(report: ArchiveReport) -> str:
    parts = [f"{report.archived:,} events archived to {report.archive}, up to number {report.last_seq:,}"]
    if report.joined:
        parts.append(f"{report.joined:,} small files joined")
    if report.removed:
        parts.append(f"{report.removed:,} old files removed")
    return f"{'; '.join(parts)} ({report.seconds:.1f} s)"
