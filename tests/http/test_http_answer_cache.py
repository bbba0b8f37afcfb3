"""Kept answers over HTTP: given again while nothing changed, and said to be."""

import pytest
from asgi_client import Client

from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory


def test_the_same_question_is_answered_from_the_cache_until_something_changes(caching):
    first, again = (caching.get("/recommend/anna?k=3").json for _ in range(2))
    assert again["source"] == "cache"
    assert again["items"] == first["items"]
    assert again["recommendation_id"] != first["recommendation_id"]
    caching.post("/events", {"user_id": "anna", "item_id": "fargo", "type": "like"})
    assert caching.get("/recommend/anna?k=3").json["source"] == "personalized"


def test_the_record_of_a_kept_answer_says_when_it_was_made_and_when_it_was_shown(caching):
    first = caching.get("/recommend/anna?k=3").json
    caching.now += 1_000_000
    again = caching.get("/recommend/anna?k=3").json
    made, shown = (caching.get(f"/recommendations/{one['recommendation_id']}").json for one in (first, again))
    assert made["generated_at"] == made["shown_at"] == first["generated_at"]
    assert shown["generated_at"] == again["generated_at"] == first["generated_at"]
    assert (made["shown_at"], shown["shown_at"]) == ("2024-10-04T00:00:00Z", "2024-10-04T00:00:01Z")


def test_the_lesson_is_told_where_its_answer_comes_from(caching):
    path = "/api/recommendations?user_id=anna&context_time_of_day=evening&context_device=phone"
    other = "/api/recommendations?user_id=anna&context_device=phone&context_time_of_day=evening"
    assert [caching.get(asked).json["source"] for asked in (path, other)] == ["model", "cache"]
    assert caching.get(path.replace("evening", "morning")).json["source"] == "model"
    assert caching.get(path + "&n=4").json["source"] == "model"


@pytest.mark.parametrize("path", ["/api/recommendations/anna", "/recommend?user_id=anna"])
def test_hits_show_in_the_metrics(caching, path):
    for _ in range(3):
        caching.get(path)
    shown = caching.get("/metrics").body.decode()
    assert "recommendation_cache_hits_total 2" in shown
    assert "recommendation_cache_age_seconds_count 2" in shown


def test_health_names_an_answer_cache_that_is_away_and_stays_ready():
    settings = Settings(answer_cache="redis", redis_url="redis://127.0.0.1:1", redis_seconds=0.2)
    with home_in_memory(settings) as home:
        health = Client(home).get("/health/ready")
    assert (health.status, health.json["status"]) == (200, "ready")
    assert any("the answer cache is away" in words for words in health.json["wrong"])
    assert any("Connection refused" in words for words in health.json["wrong"])


def test_health_has_nothing_to_say_of_an_answer_cache_that_answers(caching):
    assert caching.get("/health").json["wrong"] == []
