"""What is no longer needed goes at once: the garbage collector comes rarely."""

import gc
import weakref
from contextlib import contextmanager

import msgspec
import pytest
from asgi_client import FILMS, PAST, Client

from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.models.popularity import Popularity, PopularityConfig
from foretaste.models.session_knn import SessionKNN, SessionKNNConfig
from foretaste.pipeline.artifact import assemble
from foretaste.ranking.blend import Blend
from foretaste.serving.untrained import untrained_artifact
from foretaste.training.publish import stage


def a_version(name: str):
    """Return models that need no training under a name, one of which keeps the last question it was asked."""
    models = {
        "popularity": Popularity(PopularityConfig()),
        "session_knn": SessionKNN(SessionKNNConfig()),
    }
    base = untrained_artifact()
    manifest = msgspec.structs.replace(base.manifest, version=name)
    return assemble(models, Blend.even(tuple(models)), base.calibration, manifest)


@pytest.fixture
def client(tmp_path):
    """A service with two versions of a model that goes on learning."""
    with open_home(tmp_path / "home", settings=Settings(), create=True) as home:
        home.put_items(FILMS)
        home.recorder.record(PAST, now=Client(home).now)
        for name in ("v1", "v2"):
            stage(a_version(name), tmp_path / name, {})
            home.registry.publish(tmp_path / name)
        yield Client(home)


@contextmanager
def without_collecting():
    """Let nothing go but what nobody holds."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def ask(client: Client) -> None:
    for path in (
        "/recommend/ann?explain=true",
        "/recommend/ann?scenario=trending",
        "/recommend/ann?filter=not%20viewed%20within%201d",
        "/items/heat/similar",
        "/users/ann/profile",
    ):
        assert client.get(path).status == 200, path


def swap(client: Client) -> None:
    for name in ("v1", "v2"):
        assert client.post(f"/models/{name}/promote", b"").status == 200
        ask(client)


def send(client: Client) -> None:
    event = {"user_id": "ann", "item_id": "heat", "type": "click"}
    assert client.post("/events", [event]).status == 202
    ask(client)


def change(client: Client) -> None:
    assert client.put("/items/big", {"title": "Big", "categories": ["Comedy"]}).status == 200
    assert client.send("DELETE", "/items/clue").status == 200
    ask(client)


def refuse(client: Client) -> None:
    assert client.get("/users/nobody/profile").status == 404
    assert client.post("/events", [{"user_id": "ann"}]).status == 400
    assert client.post("/models/v9/promote", b"").status == 404


def test_a_model_that_no_longer_serves_is_let_go_of_with_all_that_learnt_from_it(client):
    swap(client)
    with without_collecting():
        replaced = [weakref.ref(model) for model in client.home.artifact.models.values()]
        client.post("/models/v1/promote", b"")
        ask(client)
        assert [model() for model in replaced] == [None, None]


@pytest.mark.parametrize("work", [ask, send, change, refuse, swap])
def test_requests_leave_nothing_to_the_garbage_collector(client, work):
    swap(client)
    work(client)
    with without_collecting():
        work(client)
        assert gc.collect() == 0
