"""`filter=` and `boost=` as clients meet them."""

from urllib.parse import urlencode

import pytest
from asgi_client import problem


def asked(path, **parameters):
    return f"{path}?{urlencode(parameters, doseq=True)}"


def test_a_filter_is_a_condition_an_attribute_and_its_value_or_several_of_both(client):
    found = client.get(asked("/recommend/dee", filter="year >= 1995 and not purchased within 30d"))
    assert set(found.ids) == {"fargo", "heat"}
    assert set(client.get(asked("/recommend/dee", filter="studio:Fox")).ids) == {"alien"}
    both = client.get(asked("/recommend/dee", filter=['"Crime" in category', "year:1996", "year < 2000"]))
    assert both.ids == ["fargo"]


def test_a_boost_brings_up_and_says_by_how_much(client):
    plain = client.get("/recommend/dee").json["items"]
    found = client.get(asked("/recommend/dee", boost=['studio == "Universal" : 1000', "0.1"])).json["items"]
    assert found[0]["item_id"] == "jaws"
    added = [part["added"] for part in found[0]["boosts"]]
    assert added == pytest.approx([6.907755, 0.1], abs=1e-6)
    before = next(item for item in plain if item["item_id"] == "jaws")
    assert found[0]["score"] == pytest.approx(before["score"] + sum(added), abs=1e-5)
    assert before["boosts"] == []


@pytest.mark.parametrize("name", ["filter", "boost"])
def test_an_error_names_the_parameter_and_points_at_the_character(client, name):
    answer = client.get(asked("/recommend/dee", **{name: "yaer > 1990"}))
    assert answer.status == 400
    document = problem(answer, 400)
    assert document["field"] == name
    assert document["detail"].splitlines()[1:] == ["  yaer > 1990", "  ^"]
    assert "did you mean year?" in document["detail"]


def test_similar_items_and_other_systems_paths_take_them_too(client):
    found = client.get(asked("/items/fargo/similar", filter="year < 1996"))
    assert set(found.ids) <= {"heat"}
    for path, more in (
        ("/api/recommendations/dee", {}),
        ("/api/recommendations", {"user_id": "dee"}),
        ("/api/recommendations_with_cold_start", {"user_id": "dee"}),
    ):
        answer = client.get(asked(path, filter="year < 1996", boost="year", **more))
        assert answer.status == 200
        assert {item["item_id"] for item in answer.json["recommendations"]} <= {"heat"}


def test_candidates_of_ones_own_are_filtered_and_boosted(client):
    body = {
        "user_id": "dee",
        "candidates": ["fargo", "heat", {"id": "new", "title": "New", "year": 2001}],
        "filter": "year != 1995",
        "boost": ["year > 2000 : 1e6"],
    }
    answer = client.post("/personalize", body)
    assert answer.ids == ["new", "fargo"]
    assert answer.json["filtered"] == 1
