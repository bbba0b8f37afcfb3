"""A mixed load: nothing fails, nothing that was deleted is shown, memory and open files stay flat.

A few seconds of it are in the suite; `make soak MINUTES=60` runs an hour.
"""

import json
import logging
import os
import random
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest
from mixed_load import ITEMS, USERS, MixedLoad, item_id

import foretaste as ft
from foretaste.app.cli import serve
from foretaste.app.learning import train_home
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.clock import system_clock
from foretaste.testing.forks import Fork
from foretaste.testing.servers.process import answers, free_port
from foretaste.testing.waiting import until

MINUTES = float(os.environ.get("FORETASTE_SOAK_MINUTES", "60"))
FEW_SECONDS = 5.0
QUICK = Settings(effort="quick", sources=("popularity", "item_item", "session_knn"))
SAMPLES = 90
GROWTH, SLACK_MB = 0.02, 5.0
"""By how much the memory of the last third of the time may exceed that of the third before."""
BOUGHT, BATCH = 3, 1_000
"""Of five items so many were bought by everyone, so that there is something left to show."""
FEW_FILES = 8
"""By how many the open files may: connections come and go."""
RESTARTED_SECONDS = 60.0
"""How long a service is loaded that was started anew on the same home, for comparison."""


def serving(home, port):
    """Serve a home until the process ends."""
    serve.run(home=home, host="127.0.0.1", port=port, worker=False, as_json=True, workers=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with a champion, and a challenger of another seed."""
    place = tmp_path_factory.mktemp("soak") / "home"
    events = ft.datasets.synthetic(n_users=USERS, n_items=ITEMS, n_events=2_000, seed=1).events
    with ft.Recommender.train(events, home=place, settings=QUICK) as rec:
        train_home(rec.home, seed=99, publish=False)
    return place


@pytest.fixture
def settled(home):
    """The home of a shop whose state has grown to its size: everyone had to do with everything.

    What an event tells of then has its place already, so memory that grows is lost. (Until then it grows by
    what is new to the state; after it by the sixteen bytes that an event's key takes.)
    """
    done = [
        {"user_id": f"u{user}", "item_id": item_id(item), "type": kind}
        for user in range(USERS)
        for item in range(ITEMS)
        for kind in ("view", "click", "purchase")
        if kind != "purchase" or (user + item) % 5 < BOUGHT
    ]
    random.Random(0).shuffle(done)
    with open_home(home, settings=QUICK) as opened:
        for start in range(0, len(done), BATCH):
            opened.recorder.record(done[start : start + BATCH], now=system_clock())
    return home


@contextmanager
def loaded(home):
    """Serve a home in a process; yield it and a load for it."""
    port = free_port()
    with Fork(serving, home, port) as process:
        until(lambda: answers(port))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/models", timeout=60) as answer:
            models = [model["version"] for model in json.loads(answer.read())["versions"]]
        assert len(models) > 1
        yield process, MixedLoad(port, models)


def memory_mb(pid):
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def open_files(pid):
    """Return how many files and connections a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def assert_all_was_well(load):
    assert load.wrong == []
    failed = {what: counts for what, counts in load.statuses.items() if max(counts) >= 500}
    assert failed == {}
    assert {
        "recommend",
        "filter",
        "similar",
        "events",
        "put item",
        "delete item",
        "promote",
    } <= load.statuses.keys()


def test_nothing_fails_and_nothing_deleted_is_shown(home):
    with loaded(home) as (_, load):
        load.run(FEW_SECONDS)
        assert_all_was_well(load)


@pytest.mark.slow
def test_memory_and_open_files_stay_flat(settled):
    with loaded(settled) as (process, load):
        thread = threading.Thread(target=load.run, args=(60.0 * MINUTES,))
        thread.start()
        sizes, files = [], []
        while not load.ended.wait(60.0 * MINUTES / SAMPLES):
            sizes.append(memory_mb(process.pid))
            files.append(open_files(process.pid))
        thread.join()
        assert_all_was_well(load)
    with loaded(settled) as (process, again):
        again.run(RESTARTED_SECONDS)
        restarted = memory_mb(process.pid)
    before, last = medians_of_the_last_thirds(sizes)
    files_before, files_last = medians_of_the_last_thirds(files)
    logging.getLogger(__name__).info(
        "%.0f MB, then %.0f MB, restarted %.0f MB; %d files open, then %d; %s",
        *(before, last, restarted, files_before, files_last, load.statuses),
    )
    assert last <= before * (1.0 + GROWTH) + SLACK_MB
    assert files_last <= files_before + FEW_FILES


def medians_of_the_last_thirds(samples):
    """Return the median of the second third of what was measured, and that of the last third."""
    third = len(samples) // 3
    return median(samples[-2 * third : -third]), median(samples[-third:])
