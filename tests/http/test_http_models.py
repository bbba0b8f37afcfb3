"""`/models`: versions, promotion and rollback, without a lost request."""

import threading

import msgspec
import numpy as np
import pytest
from asgi_client import FILMS, PAST, Client, problem

from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.pipeline.artifact import assemble
from foretaste.ranking.calibration import Calibration
from foretaste.serving.untrained import untrained_artifact
from foretaste.training.publish import stage


def a_version(name: str):
    """Return a small artifact: models that need no training, under a name."""
    base = untrained_artifact()
    manifest = msgspec.structs.replace(base.manifest, name="blend", version=name)
    curve = Calibration(score=np.array([-1.0, 1.0]), chance=np.array([0.1, 0.8]))
    return assemble(base.models, base.blend, curve, manifest)


@pytest.fixture
def client(tmp_path):
    with open_home(tmp_path / "home", settings=Settings(), create=True) as home:
        home.put_items(FILMS)
        home.recorder.record(PAST, now=Client(home).now)
        for name in ("v1", "v2"):
            stage(a_version(name), tmp_path / name, {"ndcg": 0.1})
            home.registry.publish(tmp_path / name)
        yield Client(home)


def test_the_versions_are_listed_with_what_answers(client):
    models = client.get("/models").json
    assert [version["version"] for version in models["versions"]] == ["v1", "v2"]
    assert models["serving"] == "untrained"
    assert models["versions"][0]["metrics"] == {"ndcg": 0.1}


def test_a_version_whose_manifest_cannot_be_read_is_listed_as_damaged(client, tmp_path):
    manifest = next((tmp_path / "home" / "models").rglob("v1/manifest.json"))
    manifest.write_bytes(manifest.read_bytes()[:-1])
    models = client.get("/models").json
    assert models["damaged"] == ["v1"]
    assert [version["version"] for version in models["versions"]] == ["v2"]


def test_a_promoted_version_gives_the_next_answer(client):
    answer = client.post("/models/v1/promote", b"")
    assert answer.json == {"alias": "champion", "version": "v1", "serving": "v1"}
    assert client.get("/recommend/ann").json["model_version"] == "v1"


def test_a_rollback_returns_to_the_version_before(client):
    client.post("/models/v1/promote", b"")
    client.post("/models/v2/promote", b"")
    assert client.post("/models/champion/rollback", b"").json["serving"] == "v1"
    assert client.get("/recommend/ann").json["model_version"] == "v1"


def test_a_model_s_name_stands_for_its_champion(client):
    client.post("/models/v1/promote", b"")
    client.post("/models/v2/promote", b"")
    assert client.post("/models/blend/rollback", b"").json["version"] == "v1"


def test_another_alias_does_not_change_what_answers(client):
    client.post("/models/v1/promote", b"")
    answer = client.post("/models/v2/promote?alias=challenger", b"").json
    assert answer == {"alias": "challenger", "version": "v2", "serving": "v1"}


def test_an_unknown_version_is_not_found_and_those_there_are_named(client):
    assert "v1" in problem(client.post("/models/nope/promote", b""), 404)["detail"]
    problem(client.post("/models/nope/rollback", b""), 404)


def test_a_service_in_memory_has_no_versions_to_move(empty):
    assert empty.get("/models").json == {
        "serving": "untrained",
        "available": ["hybrid", "popularity", "popularity_week", "transitions"],
        "aliases": {},
        "versions": [],
        "damaged": [],
    }
    problem(empty.post("/models/v1/promote", b""), 503)


def test_a_swap_of_models_loses_no_request(client):
    done = threading.Event()
    seen: list[tuple[int, str]] = []

    def ask():
        while not done.is_set():
            answer = client.get("/recommend/ann")
            seen.append((answer.status, answer.json["model_version"]))

    asking = threading.Thread(target=ask)
    asking.start()
    for turn in range(20):
        client.post(f"/models/v{turn % 2 + 1}/promote", b"")
    done.set()
    asking.join()
    assert {status for status, _ in seen} == {200}
    assert {version for _, version in seen} <= {"untrained", "v1", "v2"}


def test_scores_on_the_shop_path_are_matches_between_0_and_1(client):
    client.post("/models/v1/promote", b"")
    answer = client.get("/api/recommendations/ann?n=3").json
    assert set(answer) == {"user_id", "recommendations"}
    assert answer["user_id"] == "ann"
    assert [set(item) for item in answer["recommendations"]] == [{"item_id", "item_name", "score"}] * 3
    assert all(0.1 <= item["score"] <= 0.8 for item in answer["recommendations"])
    assert answer["recommendations"][0]["item_name"] == "Clue"


def test_the_shop_path_answers_five_by_default(client):
    assert len(client.get("/api/recommendations/new").json["recommendations"]) == 5


def test_a_new_person_is_told_to_be_new(client):
    new = client.get("/api/recommendations_with_cold_start?user_id=new").json
    known = client.get("/api/recommendations_with_cold_start?user_id=ann").json
    assert (new["new_user"], new["source"]) == (True, "cold_start_handler")
    assert (known["new_user"], known["source"]) == (False, "model")
    assert len(new["recommendations"]) == 5


def test_metrics_say_of_every_version_what_it_is_and_what_it_learnt_from(client):
    client.post("/models/v1/promote", b"")
    told = client.get("/metrics/models").json
    assert told["serving"] == "v1"
    assert list(told["models"]) == ["v1", "v2"]
    assert set(told["models"]["v1"]) >= {
        "last_updated",
        "sources",
        "events",
        "users",
        "items",
        "learnt_until",
    }
    assert [told["models"][version]["serving"] for version in ("v1", "v2")] == [True, False]
    assert told["models"]["v1"]["aliases"] == ["champion"]
    assert told["models"]["v2"]["metrics"] == {"ndcg": 0.1}
