"""Rules of a slate, boxes of a page and pages of a list, as clients meet them."""

import json
from urllib.parse import quote

import pytest
from asgi_client import problem

from foretaste.domain.item import Item

CRIME = '"Crime" in category'


def post(client, **asked):
    return client.post("/recommend", asked)


def crime(answer):
    return sum("Crime" in item["categories"] for item in answer.json["items"])


def test_a_question_in_a_body_is_answered_as_one_in_an_address(client):
    by_body = post(client, user_id="ann", k=3, explain=True, exclude_ids=["clue"], context={"device": "tv"})
    by_address = client.get("/recommend/ann?k=3&explain=true&exclude_ids=clue&context_device=tv")
    assert by_body.status == 200
    assert by_body.json["items"] == by_address.json["items"]
    assert by_body.json["user_id"] == "ann"


def test_rules_hold_and_those_that_cannot_be_kept_are_told(client):
    rules = {
        "quotas": [{"filter": CRIME, "at_most": 1}, {"filter": "year > 2020", "at_least": 1}],
        "slots": [{"place": 1, "item_id": "jaws"}],
        "forbidden": ["big"],
    }
    answer = post(client, k=3, rules=rules)
    assert answer.status == 200
    assert answer.ids[0] == "jaws"
    assert crime(answer) <= 1
    assert "big" not in answer.ids
    assert answer.json["relaxed"] == [{"rule": "quotas[1]", "reason": "0 items, fewer than 1"}]
    written = client.get(f"/recommend?k=3&rules={quote(json.dumps(rules))}")
    assert written.ids == answer.ids


@pytest.mark.parametrize(
    ("rules", "field", "said"),
    [
        ({"quotas": [{"each": "category", "at_most": -1}]}, "rules.quotas[0].at_most", ">= 0"),
        ({"quotas": [{"each": "category"}]}, "rules.quotas[0]", "`at_least` or `at_most`"),
        ({"quotas": [{"filter": "year >", "at_most": 1}]}, "rules.quotas[0].filter", "year >"),
        ({"quotas": [{"each": "yaer", "at_most": 1}]}, "rules.quotas[0].each", "did you mean 'year'"),
        ({"slots": [{"place": 0, "item_id": "a"}]}, "rules.slots[0].place", ">= 1"),
        ({"slots": [{"place": 1, "filter": "colour = 1"}]}, "rules.slots[0].filter", "colour"),
        ({"slots": [{"place": 1, "item_id": "a"}, {"place": 1, "item_id": "b"}]}, "rules", "the place 1"),
        ({"rest": {"impressions": 0}}, "rules.rest.impressions", ">= 1"),
        ({"own_mix": 2}, "rules.own_mix", "<= 1"),
        ({"quota": []}, "rules", "quota"),
        ([], "rules", "object"),
        ({"quotas": [{"filter": CRIME, "at_most": 1}] * 17}, "rules", "at most 16"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_by_the_name_of_the_field(client, rules, field, said):
    for answer in (post(client, rules=rules), client.get(f"/recommend?rules={quote(json.dumps(rules))}")):
        refusal = problem(answer, 400)
        assert refusal["field"] == field
        assert said in refusal["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'{"k": "many"}', b'{"k": 51}'])
def test_a_body_that_cannot_be_read_is_refused(client, body):
    problem(client.post("/recommend", body), 400)


def test_boxes_of_one_page_repeat_nothing_and_can_be_given_again(client):
    first = client.get("/recommend/ann?k=2&page_id=front")
    second = client.get("/recommend?k=2&page_id=front")
    third = client.get("/items/heat/similar?k=2&page_id=front")
    shown = [*first.ids, *second.ids, *third.ids]
    assert len(shown) == len(set(shown))
    assert client.get("/recommend/ann?k=2&page_id=another").ids == first.ids
    past = client.get(f"/recommendations/{second.json['recommendation_id']}?reproduce=true").json
    assert past["reproduced"]["identical"]
    assert set(past["query"]["exclude_ids"]) == set(first.ids)


def test_a_dry_run_leaves_no_trace_on_its_page(client):
    first = client.get("/recommend?k=2&page_id=front&dry_run=true")
    assert client.get("/recommend?k=2&page_id=front").ids == first.ids


def test_pages_follow_each_other_whatever_happens_in_between(client):
    first = client.get("/recommend?k=2&cursor=")
    client.home.recorder.record(
        [{"user_id": "bob", "item_id": first.ids[1], "type": "watch"}], now=client.now
    )
    client.home.put_items([Item(item_id="psycho", title="Psycho", categories=("Horror",))])
    pages, cursor = [first.ids], first.json["next_cursor"]
    while cursor:
        page = client.get(f"/recommend?k=2&cursor={cursor}")
        past = client.get(f"/recommendations/{page.json['recommendation_id']}?reproduce=true").json
        assert past["reproduced"]["identical"]
        pages.append(page.ids)
        cursor = page.json["next_cursor"]
    shown = [item for page in pages for item in page]
    assert sorted(shown) == ["alien", "big", "clue", "fargo", "heat", "jaws", "psycho"]


def test_pages_of_an_unchanged_world_are_one_long_page(client):
    pages, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/recommend?k=2&diversity_lambda=1&cursor={cursor}")
        pages += page.ids
        cursor = page.json["next_cursor"]
    assert pages == client.get("/recommend?k=50&diversity_lambda=1").ids


def test_without_a_cursor_there_is_none(client):
    assert client.get("/recommend?k=2").json["next_cursor"] is None


def test_a_cursor_that_is_none_or_belongs_elsewhere_is_refused(client):
    cursor = client.get("/recommend/ann?k=2&cursor=").json["next_cursor"]
    for path, said in (
        ("/recommend/ann?cursor=abc", "not one of ours"),
        (f"/recommend/bob?cursor={cursor}", "another question"),
        (f"/recommend/ann?cursor={cursor}&category=Crime", "another question"),
    ):
        refusal = problem(client.get(path), 400)
        assert refusal["field"] == "cursor"
        assert said in refusal["detail"]


def test_rules_work_where_answers_are_kept(caching):
    rules = {"slots": [{"place": 1, "item_id": "jaws"}]}
    plain = post(caching, k=3)
    first, again = post(caching, k=3, rules=rules), post(caching, k=3, rules=rules)
    assert first.ids[0] == again.ids[0] == "jaws"
    assert again.json["source"] == "cache"
    assert plain.ids[0] != "jaws"
