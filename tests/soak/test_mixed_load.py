"""A mixed load: nothing fails, nothing that was deleted is shown, and memory stays flat.

A few seconds of it are in the suite; `make soak MINUTES=60` runs an hour.
"""

import json
import logging
import os
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest
from mixed_load import ITEMS, USERS, MixedLoad

import foretaste as ft
from foretaste.app.cli import serve
from foretaste.app.learning import train_home
from foretaste.app.settings import Settings
from foretaste.testing.forks import Fork
from foretaste.testing.servers.process import answers, free_port
from foretaste.testing.waiting import until

MINUTES = float(os.environ.get("FORETASTE_SOAK_MINUTES", "60"))
FEW_SECONDS = 5.0
QUICK = Settings(effort="quick", sources=("popularity", "item_item", "session_knn"))
SAMPLES = 90
GROWTH, SLACK_MB = 0.02, 5.0
"""By how much the memory of the last third of the time may exceed that of the third before."""


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
def test_memory_stays_flat(home):
    with loaded(home) as (process, load):
        thread = threading.Thread(target=load.run, args=(60.0 * MINUTES,))
        thread.start()
        sizes = []
        while not load.ended.wait(60.0 * MINUTES / SAMPLES):
            sizes.append(memory_mb(process.pid))
        thread.join()
        assert_all_was_well(load)
    third = len(sizes) // 3
    before, last = median(sizes[-2 * third : -third]), median(sizes[-third:])
    logging.getLogger(__name__).info("%.0f MB, then %.0f MB; %s", before, last, load.statuses)
    assert last <= before * (1.0 + GROWTH) + SLACK_MB
