"""`foretaste demo`: real ratings, a trained model and a storefront, in one command.

The ratings are moved in time, so that the people who were last there are there now.
"""

import shutil
import threading
import webbrowser
from contextlib import ExitStack
from pathlib import Path

from foretaste.adapters.prometheus.telemetry import PrometheusTelemetry
from foretaste.app.cli.console import Screen
from foretaste.app.cli.serve import address_of, announce, bind, serve_until_stopped
from foretaste.app.cli.train import report_text
from foretaste.app.compiling import compiling_beside
from foretaste.app.datasets import movielens_100k
from foretaste.app.datasets.cache import cache_directory
from foretaste.app.home import Home
from foretaste.app.importing import BATCH, import_events
from foretaste.app.learning import train_home
from foretaste.app.warming import warm
from foretaste.app.wiring import open_home
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import InvalidInputError

MARK = "demonstration"
"""A file in every home that the demonstration made: only such a home does it use and clear."""


def run(*, home: Path | None, host: str, port: int, open_browser: bool, fresh: bool, as_json: bool) -> None:
    """Prepare the home if needed, then serve until interrupted."""
    screen = Screen(as_json=as_json)
    directory = _own_home(home or cache_directory() / "demo", fresh=fresh)
    with bind(host, port) as listener, ExitStack() as until_stopped:
        with compiling_beside():
            opened = until_stopped.enter_context(
                open_home(directory, create=True, telemetry=PrometheusTelemetry())
            )
            if opened.artifact is None:
                _prepare(opened, screen)
            else:
                events = f"{opened.log.last_seq():,} events in {directory}"
                screen.say(f"going on with {events}; --fresh begins again")
            warm(opened)
        announce(screen, listener)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(address_of(listener),), daemon=True).start()
        serve_until_stopped(opened, listener)


def _own_home(directory: Path, *, fresh: bool) -> Path:
    """Return the demonstration's home, cleared if `fresh`; never one that holds something else."""
    there = directory.is_dir() and any(directory.iterdir())
    if there and not (directory / MARK).is_file():
        raise InvalidInputError(
            f"{directory} holds something else; the demonstration needs an empty folder", field="home"
        )
    if there and fresh:
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MARK).write_text("foretaste demo made this home and may clear it\n", encoding="utf-8")
    return directory


def _prepare(home: Home, screen: Screen) -> None:
    with screen.step("data: MovieLens-100K"):
        events = movielens_100k().ending(system_clock())
    with screen.step(
        f"home: {len(events):,} ratings of {len(events.items):,} films, as if they ended just now"
    ):
        home.put_items(events.items)
        import_events(home.log, events.chunks(BATCH))
    screen.say("learning what follows from what")
    with screen.stages() as progress:
        report = train_home(home, effort="quick", progress=progress)
    screen.show(report_text(report))
