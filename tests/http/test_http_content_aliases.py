"""The content platform's paths: what its clients send is understood, what they read is there."""

from asgi_client import DAY, NOW, did, problem

from foretaste.events.moments import format_moment


def event_of(client, user):
    """The last event of a person in the log."""
    return [event for _, event in client.home.log.events(0, 1000) if event.user_id == user][-1]


def test_an_interaction_s_device_topics_and_source_are_kept(client):
    body = {
        "user_id": "eve",
        "item_id": "fargo",
        "interaction_type": "like",
        "rating": 4,
        "session_id": "s1",
        "device_type": "phone",
        "context": {"topics": ["Crime", "Snow"], "source": "newsletter", "hour": 9},
    }
    assert client.post("/interaction", body).json["accepted"] == 1
    event = event_of(client, "eve")
    assert (event.type, event.value, event.session_id) == ("like", 4.0, "s1")
    assert event.context == {
        "device_type": "phone",
        "topics": "Crime|Snow",
        "source": "newsletter",
        "hour": "9",
    }


def test_an_interaction_needs_no_context(client):
    body = {"user_id": "eve", "item_id": "fargo", "interaction_type": "view", "context": None}
    assert client.post("/interaction", body).status == 202
    assert event_of(client, "eve").context == {}


def test_an_interaction_that_is_none_is_refused_with_the_word_old_clients_read(client):
    for body in (
        b"[3]",
        b'{"user_id": "eve"}',
        b'{"user_id": "e", "item_id": "i", "type": "v", "context": 3}',
    ):
        assert "error" in problem(client.post("/interaction", body), 400)


def test_a_profile_tells_topics_sources_times_counts_and_last_activity(client):
    liked = {"user_id": "ann", "item_id": "clue", "interaction_type": "like", "context": {"source": "search"}}
    client.post("/interaction", {**liked, "timestamp": "2024-06-03T19:00:00Z"})
    profile = client.get("/profile/ann").json
    assert profile["preferences"]["topics"]["Crime"] == 100.0
    assert profile["preferences"]["sources"] == {"search": 33.33}
    assert "18:00-21:00" in profile["preferences"]["time_of_day"]
    assert (profile["interaction_count"], profile["interactions_by_type"]["like"]) == (3, 1)
    assert profile["last_activity"] == "2024-06-03T19:00:00Z"


def test_a_profile_tells_the_topics_of_items_that_only_the_interactions_know(client):
    for item, topics in (("a1", ["ai", "science"]), ("a2", ["ai"]), ("fargo", ["ai"])):
        body = {"user_id": "eve", "item_id": item, "interaction_type": "like", "context": {"topics": topics}}
        assert client.post("/interaction", body).status == 202
    topics = client.get("/profile/eve").json["preferences"]["topics"]
    assert topics == {"ai": 66.67, "Crime": 33.33, "Drama": 33.33, "science": 33.33}


def test_nobody_has_no_profile(client):
    assert "error" in problem(client.get("/profile/nobody"), 404)


def test_without_a_model_there_are_no_metrics(client):
    assert client.get("/metrics/models").json == {"serving": "untrained", "models": {}}
    evaluated = client.get("/evaluation/metrics").json
    assert (evaluated["model_version"], evaluated["evaluated_at"]) == ("untrained", None)
    assert (evaluated["offline"], evaluated["online_since"]) == ({}, None)


def test_answers_are_judged_by_what_people_did_then(client):
    shown = client.get("/recommend/ann?k=2").ids
    client.get("/recommend/bob?k=2")
    client.now += 60_000_000
    client.post("/events", [did("ann", shown[0], "watch"), did("bob", "elsewhere", "watch")])
    evaluated = client.get("/evaluation/metrics").json
    hour, _, week = evaluated["online"]
    assert (hour["hours"], week["hours"]) == (1.0, 168.0)
    overall = hour["overall"]
    assert (overall["slates"], overall["people"], overall["clicked"]) == (2, 2, 1)
    assert (overall["click_through"], overall["next_events"], overall["hit_rate"]) == (0.5, 2, 0.5)
    assert (overall["bought"], overall["conversion"]) == (0, 0.0)
    assert set(hour["by_model"]) == {"untrained"}
    assert evaluated["online_since"] == format_moment(client.now - 60_000_000)


def test_personalizing_is_counted_by_the_platform_s_names(client):
    client.post("/personalize", {"user_id": "ann", "candidates": ["big", "clue"]})
    text = client.get("/metrics").body.decode()
    assert "personalization_requests_total 1.0" in text
    assert "personalization_recommendations_total 2.0" in text
    assert "personalization_request_duration_seconds_count 1.0" in text


def test_people_of_the_last_hour_are_active(client):
    assert "personalization_active_users 0" in client.get("/metrics").body.decode()
    client.post("/events", [did("ann", "big"), did("bob", "big"), did("ann", "clue")])
    assert "personalization_active_users 2" in client.get("/metrics").body.decode()


def test_an_engagement_of_the_lesson_is_an_event(client):
    body = {"user_id": "eve", "item_id": "fargo", "engagement_type": "share"}
    assert client.post("/api/record_engagement", body).json == {"success": True}
    assert event_of(client, "eve").type == "share"
    refused = problem(client.post("/api/record_engagement", {"item_id": "fargo"}), 400)
    assert (refused["error"], refused["field"]) == ("user_id is missing", "user_id")
    assert "error" in problem(client.post("/api/record_engagement", {**body, "user_id": ""}), 400)


def test_an_engagement_may_say_when_it_was_and_is_recognized_again(client):
    then = NOW - DAY
    body = {"user_id": "eve", "item_id": "fargo", "event_id": "e1", "timestamp": format_moment(then)}
    for _ in range(2):
        assert client.post("/api/record_engagement", {**body, "session_id": "s"}).json == {"success": True}
    (kept,) = [event for _, event in client.home.log.events(0, 1000) if event.user_id == "eve"]
    assert (kept.event_id, kept.timestamp, kept.session_id, kept.context) == ("e1", then, "s", {})


def test_an_interaction_with_a_nested_context_is_kept_under_its_paths(client):
    body = {
        "user_id": "eve",
        "item_id": "heat",
        "interaction_type": "like",
        "context": {"location": {"city": "Oslo", "lat": 59.9}, "tags": ["a", 1, None], "none": []},
    }
    assert client.post("/interaction", body).status == 202
    assert event_of(client, "eve").context == {"location.city": "Oslo", "location.lat": "59.9", "tags": "a|1"}


def test_of_many_topics_as_many_are_kept_as_fit(client):
    topics = ["x" * 300, *(f"topic {number:03d}" for number in range(40)), "é" * 3]
    body = {"user_id": "eve", "item_id": "heat", "interaction_type": "like", "context": {"topics": topics}}
    assert client.post("/interaction", body).status == 202
    kept = event_of(client, "eve").context["topics"]
    assert kept.startswith("topic 000|topic 001|")
    assert 240 < len(kept.encode()) <= 256
    assert set(kept.split("|")) <= set(topics)


def test_what_is_nested_deeper_is_refused_by_name(client):
    deep = {"location": {"city": {"name": "Oslo"}}}
    body = {"user_id": "eve", "item_id": "heat", "interaction_type": "like", "context": deep}
    assert problem(client.post("/interaction", body), 400)["field"] == "context"
