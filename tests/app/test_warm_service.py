"""Nothing is compiled while people wait: what answers and events run is compiled before the first of them."""

import json
import subprocess
import sys

import pytest

from foretaste.testing.trained_homes import trained_home

CHILD = """
import gc, json, sys
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from foretaste.app.warming import warm
from foretaste.app.wiring import open_home
from foretaste.domain.clock import system_clock
from foretaste.domain.item import Item
from foretaste.domain.query import Query

def compiled():
    kernels = [each for each in gc.get_objects() if isinstance(each, Dispatcher)]
    return {f"{each.py_func.__name__}{form}" for each in kernels for form in each.signatures}

def take(user_id, item_id):
    event = {"user_id": user_id, "item_id": item_id, "type": "click"}
    home.recorder.record([event], now=system_clock())

def ask():
    for user_id in (*people, None, "somebody new"):
        for told in ({}, {"explain": True}, {"k": 50}, {"scenario": "new"}, {"filter": ("not purchased",)}):
            home.answerer.recommend(Query(now=system_clock(), seed=0, user_id=user_id, **told))
    home.answerer.similar(Query(now=system_clock(), seed=0, item_id=items[0], k=5))
    brought = [Item(item_id=items[0]), Item(item_id="never seen", title="new words")]
    home.answerer.personalize(Query(now=system_clock(), seed=0, user_id=people[0], k=3), brought)

with open_home(Path(sys.argv[1])) as home:
    warm(home)
    before = compiled()
    people, items = home.id_map.names("user")[:4], home.id_map.names("item")[:12]
    for turn in range(3):
        ask()
        home.put_items([Item(item_id=f"young {turn}", title="a new thing")])
        for user_id, item_id in zip(people, (items[turn], items[5], f"young {turn}", f"young {turn}")):
            take(user_id, item_id)
        take("somebody new", items[turn + 1])
    models = sorted(type(model).__name__ for model in home.artifact.models.values())
    print(json.dumps({"late": sorted(compiled() - before), "models": models}))
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small home with all the usual sources."""
    home = tmp_path_factory.mktemp("trained") / "home"
    return trained_home(home, n_users=60, n_items=40, n_events=2500, effort="usual")


def test_nothing_is_compiled_after_the_service_is_warm(trained):
    command = [sys.executable, "-c", CHILD, str(trained)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert "SessionKNN" in told["models"]
    assert told["late"] == []
