"""New people get what is popular, new items reach those who like their kind: all that clients see of it."""

import pytest
from asgi_client import NOW, Client, did, problem

from foretaste.app.wiring import home_in_memory
from foretaste.domain.item import Item
from foretaste.models.cold_items import ColdItemsConfig
from foretaste.models.content import ContentConfig
from foretaste.models.ease import EaseConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.pipeline.artifact import assemble
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import read_corpus
from foretaste.training.evaluate import UNPUBLISHED
from foretaste.training.fit import fit_sources
from foretaste.training.prepare import prepare

KINDS = ("oak furniture workshop", "silk fashion atelier")
N_ITEMS, N_PEOPLE, STEPS = 60, 40, 8
PATH = "/api/recommendations_with_cold_start"


@pytest.fixture(scope="module")
def shop():
    """Even items are of oak and odd ones of silk; so are the tastes of people."""
    with home_in_memory() as home:
        home.put_items([Item(item_id=f"i{n}", title=f"{KINDS[n % 2]} {n}") for n in range(N_ITEMS)])
        events = [
            did(f"p{person}", f"i{(2 * (7 * person + 11 * step) + person % 2) % N_ITEMS}", "purchase")
            | {"timestamp": 1_700_000_000 + 3600 * (step * N_PEOPLE + person)}
            for step in range(STEPS)
            for person in range(N_PEOPLE)
        ]
        home.recorder.record(events, now=NOW)
        fixed = {"way": "likeness", "words": 0.5, "gain": 1.0, "penalty": 1.0}
        ials = IALSConfig(dim=8, regularization=0.01, unobserved=4.0)
        sources = {
            "popularity": PopularityConfig(),
            "content": ContentConfig(),
            "ials": ColdItemsConfig(base=ials, **fixed),
            "ease": ColdItemsConfig(base=EaseConfig(regularization=20.0), **fixed),
        }
        corpus = read_corpus(home.log, home.id_map, home.catalog_columns)
        prepared = prepare(corpus, TrainConfig(sources=sources), seed=0)
        window = prepared.interactions(len(prepared.events))
        models = fit_sources(sources, window, corpus.catalog, seed=0).models
        home.serve_artifact(assemble(models, Blend.even(tuple(models)), Calibration.flat(), UNPUBLISHED))
        yield Client(home)


def listed(answer):
    return [item["item_id"] for item in answer.json["recommendations"]]


def test_a_new_person_gets_what_is_popular_and_is_called_new(shop):
    answer = shop.get(f"{PATH}?user_id=stranger")
    assert answer.json["new_user"] is True
    assert answer.json["source"] == "cold_start_handler"
    assert len(listed(answer)) == 5
    assert listed(answer) == [item["item_id"] for item in shop.get("/recommend/stranger?k=5").json["items"]]


def test_a_known_person_gets_the_model(shop):
    answer = shop.get(f"{PATH}?user_id=p1&n=3")
    assert (answer.json["new_user"], answer.json["source"]) == (False, "model")
    assert len(listed(answer)) == 3


def test_model_and_situation_are_heard_as_without_cold_start(shop):
    asked = "user_id=p1&model=content&context_category=none-such"
    assert listed(shop.get(f"{PATH}?{asked}")) == []
    content = shop.get(f"{PATH}?user_id=p1&model=content").json["recommendations"]
    assert content == shop.get("/api/recommendations?user_id=p1&model=content").json["recommendations"]
    assert content != shop.get(f"{PATH}?user_id=p1").json["recommendations"]
    refused = problem(shop.get(f"{PATH}?user_id=p1&model=zap"), 400)
    assert refused["error"].startswith("Model type 'zap' not found; there are hybrid, ")


def test_one_event_later_nobody_is_new(shop):
    shop.post("/events", did("newcomer", "i3", "purchase"))
    assert shop.get(f"{PATH}?user_id=newcomer").json["source"] == "model"


@pytest.mark.parametrize("model", ["ials", "ease", "content"])
def test_a_new_item_is_in_the_very_next_answer_of_those_who_like_its_kind(shop, model):
    shop.put("/items/fresh", {"title": f"{KINDS[1]} novelty"})
    silk = shop.get(f"/recommend/p1?k=50&model={model}&diversity_lambda=1").ids
    oak = shop.get(f"/recommend/p2?k=50&model={model}&diversity_lambda=1").ids
    oak_items = {f"i{n}" for n in range(0, N_ITEMS, 2)}
    assert "fresh" in silk
    ahead = silk[: silk.index("fresh")]
    assert sum(item in oak_items for item in ahead) <= 3
    assert "fresh" not in oak or oak.index("fresh") > silk.index("fresh")


def test_what_is_like_a_new_item_is_known_at_once(shop):
    shop.put("/items/fresh", {"title": f"{KINDS[1]} novelty"})
    alike = shop.get("/items/fresh/similar?k=10").ids
    assert len(alike) == 10
    assert all(int(item[1:]) % 2 for item in alike)


def test_a_new_person_who_looks_at_a_new_item_gets_its_kind(shop):
    shop.put("/items/fresh", {"title": f"{KINDS[1]} novelty"})
    shop.post("/events", did("late", "fresh", "click"))
    ids = shop.get("/recommend/late?k=5&model=content").ids
    assert "fresh" in ids
    assert sum(item == "fresh" or int(item[1:]) % 2 for item in ids) >= 4


def test_the_person_must_be_named(shop):
    assert "user_id" in problem(shop.get(PATH), 400)["error"]
