"""The paths of the shop tutorial: categories take turns there."""

import pytest
from asgi_client import NOW, Client

from foretaste.app.wiring import home_in_memory
from foretaste.domain.item import Item

KINDS = {"lamp": "Light", "bulb": "Light", "torch": "Light", "vase": "Glass", "mug": "Clay"}


@pytest.fixture
def home():
    with home_in_memory() as opened:
        bought = [
            {"user_id": f"u{person}", "item_id": item, "type": "purchase"}
            for rank, item in enumerate(KINDS)
            for person in range(9 - rank)
        ]
        opened.recorder.record(bought, now=NOW)
        yield opened


@pytest.fixture
def client(home):
    home.put_items([Item(item_id=item, categories=(kind,)) for item, kind in KINDS.items()])
    return Client(home)


def kinds(answer):
    return [KINDS[item["item_id"]] for item in answer["recommendations"]]


def test_what_is_most_popular_is_all_of_one_kind(client):
    items = client.get("/recommend/new?k=3&diversity_lambda=1").json["items"]
    assert [KINDS[item["item_id"]] for item in items] == ["Light"] * 3


@pytest.mark.parametrize("path", ["/api/recommendations/new", "/api/products/vase/view?user_id=new"])
def test_no_category_comes_again_before_the_others_had_their_turn(client, path):
    shown = kinds(client.get(path).json)
    assert set(shown[:3]) == {"Light", "Glass", "Clay"}
    assert shown[3:] == ["Light", "Light"]


def test_without_categories_the_best_come_first(home):
    listed = Client(home).get("/api/recommendations/new").json["recommendations"]
    assert [item["item_id"] for item in listed] == list(KINDS)
