"""The chain as such: data source, pipeline, feature store, archive, training, serving, monitoring, client."""

import json
import urllib.request
from contextlib import closing

import pytest

import foretaste as ft
from foretaste.app.archive_wiring import log_of_home, open_archive
from foretaste.app.archiving import ArchiveTask
from foretaste.app.settings import Settings
from foretaste.app.simulating import Simulation
from foretaste.app.simulation_http import HttpTarget
from foretaste.app.wiring import open_home
from foretaste.testing.served import served_home
from foretaste.testing.simulator.judging import judged
from foretaste.testing.simulator.scenery import Scenery
from foretaste.testing.simulator.world import World

SCENERY = Scenery(users=60, items=100, rate=0.12, duration=40_000, seed=21)
SETTINGS = Settings(effort="quick", sources=("popularity", "item_item", "ials", "context"))


def asked(url, path):
    with urllib.request.urlopen(url + path, timeout=30) as answer:
        return answer.read().decode()


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """What traffic over HTTP left: the folder of home and archive, the simulation, and a profile."""
    folder, world = tmp_path_factory.mktemp("chain"), World(SCENERY)
    with open_home(folder / "home", create=True, settings=SETTINGS) as home, served_home(home) as url:
        with closing(HttpTarget(url)) as target:
            simulation = Simulation(world, target)
            counts = simulation.run()
        profile = json.loads(asked(url, "/users/u1/profile"))
        archive = open_archive(folder / "archive", namespace="default")
        archived = ArchiveTask(log_of_home(folder / "home", SETTINGS), archive).flush()
    assert archived == counts["accepted"] == counts["events"]
    return folder, simulation, profile


@pytest.fixture(scope="module")
def trained(collected):
    """A recommender that learnt from the archive alone."""
    folder, _, _ = collected
    world = World(SCENERY)
    events = ft.read_events(folder / "archive", items=world.items)
    with ft.Recommender.train(events, home=folder / "second", settings=SETTINGS) as rec:
        yield rec


def test_what_a_source_sends_is_known_of_the_person_at_once(collected):
    _, _, profile = collected
    assert profile["user_id"] == "u1"
    assert profile["preferences"]["topics"]


def test_what_was_archived_trains_a_model_that_passes_the_gate(trained):
    assert trained.report.promoted, trained.report.gate.words


def test_the_model_serves_clients_and_monitoring_counts_the_answers(trained):
    with served_home(trained.home) as url:
        answer = json.loads(asked(url, "/recommend/u1?k=5"))
        metrics = asked(url, "/metrics")
    assert len(answer["items"]) == 5
    assert answer["model_version"] == trained.report.version
    assert any(
        line.startswith("recommendation_requests_total{") and float(line.split()[-1]) >= 1
        for line in metrics.splitlines()
    )


def test_what_clients_see_is_nearer_to_what_people_want_than_popularity(collected, trained):
    _, simulation, _ = collected
    judgement = judged(
        World(SCENERY),
        SCENERY.end,
        lambda user, k: [place.item_id for place in trained.recommend(user, k, now=SCENERY.end, seed=0)],
        people=World(SCENERY).users,
        popular=simulation.popular(),
        had=simulation.had,
    )
    assert judgement.share > 0.15
