"""`POST /personalize`: candidates of the client's, in the shape that content platforms send."""

import pytest
from asgi_client import problem

BODY = {
    "user_id": "ann",
    "candidates": [
        {"id": "alien", "title": "Alien", "content": "a horror", "topics": ["Horror"], "source": "shelf"},
        {"id": "brand-new", "title": "Brand new", "content": "a crime in the snow", "topics": ["Crime"]},
        {"id": "heat", "title": "Heat"},
    ],
    "context": {"device_type": "mobile", "time_of_day": "evening", "location": None},
    "diversity_params": {"enable_diversity": True, "topic_diversity_threshold": 0.3, "max_results": 2},
}


def test_candidates_come_back_in_order_with_scores_and_reasons(client):
    answer = client.post("/personalize", BODY)
    assert answer.status == 200
    body = answer.json
    assert len(body["items"]) == 2
    assert {item["item_id"] for item in body["items"]} <= {"alien", "brand-new", "heat"}
    assert [item["rank"] for item in body["items"]] == [1, 2]
    assert all(item["reason"] and isinstance(item["score"], float) for item in body["items"])
    assert body["user_id"] == "ann"


@pytest.mark.parametrize("missing", ["user_id", "candidates"])
def test_what_is_missing_is_named(client, missing):
    body = {name: value for name, value in BODY.items() if name != missing}
    for asked in (body, {**body, missing: None}):
        refused = problem(client.post("/personalize", asked), 400)
        assert (refused["detail"], refused["field"]) == (f"{missing} is missing", missing)


def test_without_diversity_the_order_is_that_of_the_scores(client):
    plain = {"diversity_params": {"enable_diversity": False}}
    scores = [item["score"] for item in client.post("/personalize", {**BODY, **plain}).json["items"]]
    assert len(set(scores)) == 3
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    "change",
    [
        {"context": None},
        {"filter": None, "boost": None, "scenario": None, "explain": None},
        {"diversity_params": None},
        {"diversity_params": {"enable_diversity": None, "max_results": None}},
    ],
)
def test_an_option_that_is_null_is_as_good_as_left_out(client, change):
    plain = {"user_id": "ann", "candidates": BODY["candidates"]}
    expected = client.post("/personalize", plain)
    answer = client.post("/personalize", plain | change)
    assert (answer.status, answer.ids) == (200, expected.ids)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"topics": [1]}, "topics must be a list of texts"),
        ({"content": 7}, "content "),
        ({"categories": [1], "topics": ["a"]}, "categories"),
        ({"categories": [1]}, "categories must be a list of texts"),
    ],
)
def test_a_wrong_field_of_a_candidate_is_called_as_the_client_calls_it(client, fields, words):
    body = {"user_id": "ann", "candidates": ["heat", {"id": "new", **fields}]}
    answer = client.post("/personalize", body)
    assert answer.status == 400
    assert answer.json["detail"].startswith(f"candidate 1: {words}")


def test_candidates_may_be_numbers_but_no_truth_values(client):
    client.put("/items/7", {"title": "Seven"})
    assert client.post("/personalize", {"user_id": "ann", "candidates": [7, "heat"]}).ids.count("7") == 1
    assert client.post("/personalize", {"user_id": "ann", "candidates": [True]}).status == 400


def test_what_is_nested_in_the_context_is_known_by_its_path(client):
    asked = {
        "user_id": "ann",
        "candidates": ["heat", "alien"],
        "filter": 'context["location.city"] == "Oslo"',
    }
    at = {"context": {"location": {"city": "Oslo", "country": None}, "tags": ["a", 1]}}
    assert client.post("/personalize", asked | at).status == 200
    deeper = client.post("/personalize", asked | {"context": {"location": {"city": {"name": "Oslo"}}}})
    assert deeper.status == 400


def test_a_new_item_has_no_index(client):
    answer = client.post(
        "/personalize", {"user_id": "ann", "candidates": [{"id": "brand-new", "content": "x"}]}
    )
    (item,) = answer.json["items"]
    assert (item["item_id"], item["item_idx"]) == ("brand-new", -1)


@pytest.mark.parametrize(
    "change",
    [
        {"candidates": []},
        {"candidates": [{"title": "no id"}]},
        {"candidates": ["x"] * 1001},
        {"candidates": [{"id": "a", "year": [1, 2]}]},
        {"user_id": ""},
        {"diversity_params": {"max_results": 0}},
        {"context": "mobile"},
    ],
    ids=["none", "no id", "too many", "strange attribute", "no user", "no results", "context is text"],
)
def test_what_makes_no_sense_is_a_400_that_says_why(client, change):
    answer = client.post("/personalize", BODY | change)
    assert answer.status == 400
    assert answer.json["detail"]
