"""The measures that dashboards of three other systems read: each is there, and moves."""

import re

import pytest
from asgi_client import FILMS, PAST, Client, did

from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home


def value(client, name):
    """The sum over all labels of what a measure says now; 0 where it is not there yet."""
    text = client.get("/metrics").body.decode()
    found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))


def recommend(client):
    client.get("/recommend/ann?k=3")


def explain(client):
    client.get("/recommend/ann?explain=true")


def narrow(client):
    client.get("/recommend/ann?category=Comedy&exclude_ids=big,clue")


def fall_back(client):
    client.get("/recommend/nobody")


def personalize(client):
    client.post("/personalize", {"user_id": "ann", "candidates": ["big", "clue"]})


def buy(client):
    client.post("/events/purchase", {"user_id": "ann", "item_id": "jaws"})


MOVES = {
    "recommendation_requests_total": recommend,
    "recommendation_latency_seconds_count": recommend,
    "recommendation_diversity_score_count": recommend,
    "recommendation_fallback_total": fall_back,
    "similar_items_requests_total": lambda client: client.get("/items/heat/similar"),
    "user_profile_requests_total": lambda client: client.get("/users/ann/profile"),
    "filter_applied_total": narrow,
    "items_excluded_history_total": lambda client: client.get("/recommend/bob"),
    "items_excluded_explicit_total": narrow,
    "explain_requests_total": explain,
    "explain_computation_duration_seconds_count": explain,
    "mmr_rerank_applied_total": recommend,
    "mmr_rerank_duration_seconds_count": recommend,
    "purchase_events_accepted_total": buy,
    "purchase_lookup_errors_total": lambda client: client.post(
        "/events/purchase", {"user_idx": 999, "item_idx": 0}
    ),
    "events_processed_total": buy,
    "event_processing_duration_seconds_count": buy,
    "personalization_requests_total": personalize,
    "personalization_request_duration_seconds_count": personalize,
    "personalization_recommendations_total": personalize,
    "personalization_active_users": lambda client: client.post("/events", [did("ann", "big")]),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_measure_is_there_and_moves(client, name):
    before = value(client, name)
    MOVES[name](client)
    assert value(client, name) > before


def unlabelled(client):
    """The counters that have no labels, as they are told now."""
    text = client.get("/metrics").body.decode()
    return dict(re.findall(r"^(\w+_total) (\S+)$", text, re.MULTILINE))


def test_counters_without_labels_are_told_as_nought_before_they_count(tmp_path):
    with open_home(tmp_path / "home", settings=Settings(answer_cache="memory"), create=True) as home:
        client = Client(home)
        told = unlabelled(client)
        assert told["recommendation_errors_total"] == "0.0"
        home.put_items(FILMS)
        client.post("/events", [*PAST, did("ann", "big", "zap"), {"user_id": "ann"}])
        for move in MOVES.values():
            move(client)
        assert unlabelled(client).keys() == told.keys()


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("recommendation_requests_total", {"source", "user_type"}),
        ("recommendation_fallback_total", {"reason"}),
        ("similar_items_requests_total", {"status"}),
        ("filter_applied_total", {"type"}),
        ("purchase_lookup_errors_total", {"type"}),
    ],
)
def test_labels_are_those_that_dashboards_group_by(client, name, labels):
    MOVES[name](client)
    text = client.get("/metrics").body.decode()
    found = re.search(rf"^{name}\{{([^}}]*)\}}", text, re.MULTILINE)
    assert {pair.partition("=")[0] for pair in found[1].split(",")} == labels


def test_what_a_person_had_is_counted_item_by_item(client):
    client.get("/recommend/bob")
    assert value(client, "items_excluded_history_total") == 3


def test_hits_and_errors_of_the_cache_are_counted(caching):
    for _ in range(2):
        caching.get("/recommend/ann")
    assert value(caching, "recommendation_cache_hits_total") == 1
    shop = caching.get("/metrics?profile=shop").body.decode()
    for name in ("recommendation_requests_total", "recommendation_errors_total"):
        assert re.search(rf"^{name} \d", shop, re.MULTILINE)


def test_events_count_for_our_lists_only(client):
    shown = client.get("/recommend/ann?k=3").json["recommendation_id"]
    before = value(client, "events_processed_total")
    for name in (shown, "another-system-7", "-" * 63 + "é", "x" * 64 + "y"):
        client.post("/events", {**did("ann", "big"), "recommendation_id": name})
    assert value(client, "attributed_events_total") == 1
    assert value(client, "events_processed_total") == before + 4
