"""`X-Request-Timeout` and `debug`: what there was no time for is named, and each stage of an answer told."""

import os

import pytest
from asgi_client import Client

HASTE = {"x_request_timeout": "0.000000001"}
"""A client that waits a billionth of a second."""

OLDER_PATHS = ["/api/recommendations/anna", "/api/recommendations?user_id=anna"]


@pytest.mark.parametrize("path", ["/recommend/anna", "/recommend?user_id=anna", "/items/fargo/similar"])
def test_what_there_was_no_time_for_is_named(client, path):
    assert client.get(path).json["left_out"] == []
    hurried = client.get(path, **HASTE)
    assert hurried.status == 200
    assert hurried.json["items"]
    assert hurried.json["left_out"]


@pytest.mark.parametrize("path", ["/recommend", "/personalize"])
def test_questions_in_bodies_have_a_deadline_too(client, path):
    asked = {"user_id": "anna", "candidates": ["fargo", "heat"]} if path == "/personalize" else {"k": 3}
    assert client.post(path, asked).json["left_out"] == []
    assert client.post(path, asked, **HASTE).json["left_out"]


def test_the_setting_holds_where_the_client_says_nothing(home):
    impatient = Client(home, answer_seconds=1e-9)
    assert impatient.get("/recommend/anna").json["left_out"]
    assert impatient.get("/recommend/anna", x_request_timeout="60").json["left_out"] == []


def test_many_people_share_the_time_of_their_request(client):
    asked = {"user_ids": ["anna", "nobody"], "k": 3}
    answers = client.post("/recommend/batch", asked, **HASTE).json["answers"]
    assert all(one["answer"]["left_out"] for one in answers)
    answers = client.post("/recommend/batch", asked, x_request_timeout="60").json["answers"]
    assert not any(one["answer"]["left_out"] for one in answers)


@pytest.mark.parametrize("path", ["/recommend/anna", "/items/fargo/similar", *OLDER_PATHS])
def test_what_is_left_out_is_counted(client, path):
    client.get(path)
    assert "recommendation_left_out_total" not in client.get("/metrics").body.decode()
    client.get(path, **HASTE)
    assert 'recommendation_left_out_total{stage="' in client.get("/metrics").body.decode()


def test_an_answer_without_all_its_parts_is_given_to_nobody_else(caching):
    assert caching.get("/recommend/anna?k=3", **HASTE).json["left_out"]
    again = caching.get("/recommend/anna?k=3").json
    assert again["source"] != "cache"
    assert again["left_out"] == []


def test_it_is_reproduced_without_them(client):
    shown = client.get("/recommend/anna?k=3&explain=true", **HASTE).json
    past = client.get(f"/recommendations/{shown['recommendation_id']}?reproduce=true").json
    assert past["left_out"] == shown["left_out"] != []
    assert past["reproduced"]["identical"] is True
    assert past["reproduced"]["items"] == shown["items"]


def test_each_stage_is_told_with_its_time_and_candidates(client):
    answer = client.get("/recommend/anna?k=3&explain=true&debug=true", x_request_timeout="60").json
    debug = answer["debug"]
    assert debug["pid"] == os.getpid()
    assert debug["state_seq"] == answer["state_seq"]
    assert debug["budget"] == pytest.approx(60_000, rel=0.1)
    stages = {stage["stage"]: stage for stage in debug["stages"]}
    assert next(iter(stages)) == "filters"
    assert stages["filters"]["candidates_in"] == 6
    assert {source for item in answer["items"] for source in item["sources"]} <= set(stages)
    assert stages["choice"]["candidates_out"] == len(answer["items"])
    times = [stage["milliseconds"] for stage in debug["stages"]]
    assert all(time >= 0 for time in times)
    assert sum(times) + debug["waiting"] <= debug["milliseconds"] + 0.01


def test_nothing_is_told_of_stages_unless_asked(client):
    assert "debug" not in client.get("/recommend/anna").json
    by_body = client.post("/recommend", {"user_id": "anna", "debug": True}).json["debug"]
    assert by_body["budget"] is None
    assert by_body["stages"]


def test_an_answer_from_the_cache_has_no_stages(caching):
    caching.get("/recommend/anna?k=3")
    answer = caching.get("/recommend/anna?k=3&debug=true").json
    assert (answer["source"], answer["debug"]["stages"]) == ("cache", [])
