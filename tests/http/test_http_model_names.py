"""Models under stable names: `hybrid`, `content`, `ncf`, and every single source."""

import pytest
from asgi_client import NOW, Client, did, problem

from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory
from foretaste.domain.item import Item
from foretaste.events.moments import format_moment
from foretaste.models.content import ContentConfig
from foretaste.models.neural.ncf import NCFConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.models.transitions import TransitionsConfig
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import read_corpus
from foretaste.training.run import learn

CRAFTS = ("oak chair", "oak table", "oak shelf", "silk scarf", "silk shirt", "silk gown")


@pytest.fixture(scope="module")
def shop():
    with home_in_memory() as home:
        home.put_items([Item(item_id=f"i{n}", title=f"{CRAFTS[n % 6]} {n}") for n in range(24)])
        days = [(person, step) for step in range(8) for person in range(12)]
        home.recorder.record(
            [
                did(f"p{person}", f"i{(6 * step + 3 * (person % 2) + (person + step) % 3) % 24}", "purchase")
                | {"timestamp": 1_700_000_000 + 3600 * at}
                for at, (person, step) in enumerate(days)
            ],
            now=NOW,
        )
        sources = {
            "popularity": PopularityConfig(),
            "transitions": TransitionsConfig(),
            "content": ContentConfig(),
            "ncf": NCFConfig(dim=8, hidden=4, epochs=2, negatives=8),
        }
        corpus = read_corpus(home.log, home.id_map, home.catalog_columns)
        home.serve_artifact(learn(corpus, created_at=NOW, config=TrainConfig(sources=sources)).artifact)
        yield Client(home)


def test_hybrid_is_what_answers_where_no_model_is_named(shop):
    assert shop.get("/recommend/p1?model=hybrid").ids == shop.get("/recommend/p1").ids


def test_content_alone_proposes_what_is_described_alike(shop):
    items = shop.get("/recommend/p1?model=content&k=5").json["items"]
    assert items
    assert {source for item in items for source in item["sources"]} == {"content"}


def test_the_neural_model_answers_beside_the_others(shop):
    items = shop.get("/recommend/p1?model=ncf&k=5").json["items"]
    assert items
    assert {source for item in items for source in item["sources"]} == {"ncf"}


def test_the_models_there_are_can_be_listed(shop):
    names = ["hybrid", "content", "ncf", "popularity", "transitions"]
    assert shop.get("/models").json["available"] == names
    trained = format_moment(NOW)
    assert shop.get("/api/models").json == {
        "available_models": names,
        "last_updated": dict.fromkeys(names, trained),
    }


def test_a_source_that_is_switched_off_neither_answers_nor_is_listed(shop):
    with home_in_memory(Settings(without_sources=("content", "ncf"))) as home:
        home.put_items(list(shop.home.catalog_columns.items))
        home.recorder.record([did("p1", "i3", "purchase"), did("p2", "i4", "purchase")], now=NOW)
        home.serve_artifact(shop.home.artifact)
        client = Client(home)
        assert client.get("/models").json["available"] == ["hybrid", "popularity", "transitions"]
        assert problem(client.get("/recommend/p1?model=content"), 400)["field"] == "model"
        items = client.get("/recommend/p1").json["items"]
        assert items
        assert {source for item in items for source in item["sources"]} <= {"popularity", "transitions"}


@pytest.mark.parametrize("name", ["hybrid", "content", "ncf", "popularity", "transitions"])
def test_every_model_listed_answers(shop, name):
    assert shop.get(f"/recommend/p1?model={name}").status == 200
    assert shop.get(f"/api/recommendations?user_id=p1&model={name}").status == 200


@pytest.mark.parametrize("name", ["nmf", "oracle"])
def test_a_model_that_is_not_there_is_refused_with_those_that_are(shop, name):
    document = problem(shop.get(f"/recommend/p1?model={name}"), 400)
    assert document["field"] == "model"
    assert "hybrid, content, ncf, popularity, transitions" in document["detail"]
    told = problem(shop.get(f"/api/recommendations?user_id=p1&model={name}"), 400)["error"]
    assert told.startswith(f"Model type '{name}' not found")
    assert "hybrid, content, ncf, popularity, transitions" in told


def test_before_training_hybrid_is_what_needs_no_training(client):
    models = client.get("/api/models").json
    assert models["available_models"][0] == "hybrid"
    assert set(models["last_updated"].values()) == {None}
    assert client.get("/recommend/ann?model=hybrid").ids == client.get("/recommend/ann").ids
    assert problem(client.get("/recommend/ann?model=content"), 400)["field"] == "model"


def test_the_lesson_gets_five_items_and_when_the_model_was_trained(shop):
    answer = shop.get("/api/recommendations?user_id=p1").json
    assert len(answer["recommendations"]) == 5
    assert set(answer["recommendations"][0]) == {"item_id", "item_name", "score"}
    assert answer["source"] == "model"
    assert answer["model_last_updated"].startswith("2024-10-04")
    assert len(shop.get("/api/recommendations?user_id=p1&n=3").json["recommendations"]) == 3


def test_an_untrained_service_has_no_moment_of_training(client):
    assert client.get("/api/recommendations?user_id=ann").json["model_last_updated"] is None


def test_a_category_of_the_context_is_a_hard_filter(client):
    listed = client.get("/api/recommendations?user_id=dee&context_category=Crime&context_time_of_day=night")
    assert {item["item_id"] for item in listed.json["recommendations"]} == {"fargo", "heat", "clue"}


def test_an_empty_category_of_the_context_is_none(client):
    listed = client.get("/api/recommendations?user_id=dee&context_category=").json["recommendations"]
    assert listed == client.get("/api/recommendations?user_id=dee").json["recommendations"] != []


def test_the_person_must_be_named(client):
    assert "user_id" in problem(client.get("/api/recommendations"), 400)["error"]
