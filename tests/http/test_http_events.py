"""`POST /events`: durable and folded, then acknowledged; every hostile body gets a clear refusal."""

import json
import random
from concurrent.futures import Future

import pytest
from asgi_client import FILMS, LEAVES, NOW, STALLS, Client, did, problem

from foretaste.app.http.asgi.exchange import BodyLimits
from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory, open_home
from foretaste.domain.errors import NotDurableError, UnavailableError


def test_one_event_is_accepted_and_acknowledged_with_its_number(client):
    answer = client.post("/events", did("ann", "big"))
    assert answer.status == 202
    assert answer.json["accepted"] == 1
    assert answer.json["state_seq"] == 9
    (status,) = answer.json["events"]
    assert (status["status"], status["seq"]) == ("accepted", 9)
    assert status["event_id"]


@pytest.mark.parametrize("name", ["type", "event_type", "interaction_type"])
def test_the_type_has_three_names(client, name):
    event = {"user_id": "ann", "item_id": "big", name: "purchase"}
    assert client.post("/events", event).status == 202
    assert client.post("/interaction", event).status == 202
    assert client.get("/users/ann/profile").json["events_by_type"]["purchase"] == 2


def test_the_very_next_answer_knows_an_acknowledged_event(client):
    assert "big" in client.get("/recommend/new").ids
    seq = client.post("/events", did("new", "big", "watch")).json["state_seq"]
    after = client.get("/recommend/new").json
    assert after["state_seq"] == seq
    assert "big" not in [item["item_id"] for item in after["items"]]


@pytest.mark.parametrize("stores", ["memory", "sqlite"])
def test_no_acknowledged_event_is_ever_missing_from_the_next_answer(stores, home, tmp_path):
    choose = random.Random(7)
    opened = home if stores == "memory" else open_home(tmp_path / "home", settings=Settings(), create=True)
    with opened:
        client = Client(opened)
        client.put("/items", [{"item_id": f"i{n}", "title": f"Item {n}"} for n in range(50)])
        for number in range(150):
            user, item = f"u{choose.randrange(20)}", f"i{choose.randrange(50)}"
            assert client.post("/events", did(user, item, "purchase")).status == 202
            assert item not in client.get(f"/recommend/{user}?k=50").ids, number


@pytest.mark.parametrize("wrap", [lambda events: events, lambda events: {"events": events}])
def test_a_batch_gets_a_status_per_event_in_its_order(client, wrap):
    batch = [did("ann", "big", event_id="e1"), {"user_id": "ann"}, did("ann", "big", event_id="e1")]
    answer = client.post("/events", wrap(batch))
    assert answer.status == 202
    assert [status["status"] for status in answer.json["events"]] == ["accepted", "rejected", "duplicate"]
    assert answer.json["events"][1]["field"] == "item_id"
    assert "missing" in answer.json["events"][1]["reason"]
    assert (answer.json["accepted"], answer.json["duplicates"], answer.json["rejected"]) == (1, 1, 1)


def test_a_large_batch_is_taken_as_a_whole(client):
    batch = [did(f"u{n}", "big", event_id=f"e{n}") for n in range(1500)]
    assert client.post("/events", batch).json["accepted"] == 1500
    assert client.home.state.seq == 1508


def test_a_retry_changes_nothing(client):
    event = did("ann", "big", event_id="order-77")
    first, second = client.post("/events", event).json, client.post("/events", event).json
    assert second["events"][0]["status"] == "duplicate"
    assert second["events"][0]["seq"] == first["events"][0]["seq"]
    assert client.home.state.seq == 9


def test_two_honest_clicks_stay_two(client):
    client.post("/events", did("ann", "big"))
    assert client.post("/events", did("ann", "big")).json["accepted"] == 1


def test_an_idempotency_key_makes_a_retry_safe_without_event_ids(client):
    batch = [did("ann", "big"), did("ann", "big")]
    first = client.post("/events", batch, idempotency_key="k1").json
    client.now += 5_000_000
    again = client.post("/events", batch, idempotency_key="k1").json
    other = client.post("/events", batch, idempotency_key="k2").json
    assert first["accepted"] == 2
    assert again["duplicates"] == 2
    assert [status["seq"] for status in again["events"]] == [status["seq"] for status in first["events"]]
    assert other["accepted"] == 2


def test_other_content_under_the_same_key_is_not_lost(client):
    client.post("/events", did("ann", "big"), idempotency_key="k1")
    assert client.post("/events", did("ann", "jaws"), idempotency_key="k1").json["accepted"] == 1


@pytest.mark.parametrize("key", ["", "k" * 257])
def test_a_key_that_is_none_is_refused(client, key):
    problem(client.post("/events", did("ann", "big"), idempotency_key=key), 400)


def test_if_every_event_is_rejected_the_answer_says_why_for_each(client):
    document = problem(client.post("/events", [{"user_id": "ann"}, {}, 7]), 400)
    assert [error["status"] for error in document["errors"]] == ["rejected"] * 3
    assert document["errors"][0]["field"] == "item_id"
    assert client.home.state.seq == 8


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"[",
        b"null",
        b"7",
        b'"text"',
        b"[]",
        b'{"events": []}',
        b'{"events": 7}',
        b'{"events": null}',
        b"[null]",
        b"[[]]",
        b"\xff\xfe",
        b'{"user_id": "\xff", "item_id": "x", "type": "click"}',
        b'{"user_id": "ann", "item_id": "x", "type": "click", "value": NaN}',
        b'{"user_id": "ann", "item_id": "x", "type": "click", "value": Infinity}',
        b'{"user_id": "ann", "item_id": "x", "type": "click", "value": 1e999}',
        b'{"user_id": "ann", "item_id": "x", "type": "click", "value": "3"}',
        b'{"user_id": "ann", "item_id": "", "type": "click"}',
        b'{"user_id": ["ann"], "item_id": "x", "type": "click"}',
        b'{"user_id": "ann", "item_id": "x", "type": 7}',
        b'{"user_id": "ann", "item_id": "x", "type": ""}',
        b'{"user_id": "\\ud800", "item_id": "x", "type": "click"}',
        b'{"user_id": "a\\u0000b", "item_id": "x", "type": "click"}',
        b'{"user_id": "ann", "item_id": "x", "type": "click", "timestamp": "yesterday"}',
        b'{"user_id": "ann", "item_id": "x", "type": "click", "timestamp": "2286-11-20T17:46:40Z"}',
        b'{"user_id": "ann", "item_id": "x", "type": "click", "timestamp": 1e300}',
        b'{"user_id": "ann", "item_id": "x", "type": "click", "context": [1]}',
        b'{"user_id": "' + b"x" * 300 + b'", "item_id": "x", "type": "click"}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"user_id": "ann", "item_id": "x", "type": "click", "context": '
        + b"[" * 50_000
        + b"]" * 50_000
        + b"}",
    ],
    ids=lambda body: body[:60].decode("latin-1"),
)
def test_a_hostile_body_is_refused_in_plain_words_and_leaves_nothing(client, body):
    document = problem(client.post("/events", body), 400)
    assert document["detail"]
    assert client.home.state.seq == 8


def test_of_equal_keys_the_last_one_counts(client):
    body = b'{"user_id": "ann", "user_id": "bob", "item_id": "big", "type": "click"}'
    assert client.post("/events", body).status == 202
    assert client.get("/users/bob/profile").json["events_by_type"]["click"] == 1


def test_the_earliest_moment_is_taken_as_it_is(client):
    assert client.post("/events", did("old", "big", timestamp="1970-01-01T00:00:00Z")).status == 202
    assert client.get("/users/old/profile").json["first_activity_at"] == "1970-01-01T00:00:00Z"


def test_an_unknown_type_is_accepted_and_counted(client):
    assert client.post("/events", did("ann", "big", "sniffed")).status == 202
    assert b"events_unknown_type_total 1" in client.get("/metrics").body


def test_a_body_over_the_limit_is_refused_before_it_is_read(home):
    client = Client(home, BodyLimits(size=1000))
    document = problem(client.send("POST", "/events", [b"x"], content_length="1001"), 413)
    assert "1000 bytes" in document["detail"]
    streamed = client.send("POST", "/events", [b"x" * 400] * 3)
    problem(streamed, 413)
    assert streamed.headers["connection"] == "close"
    assert client.post("/events", did("ann", "big", context={"a": "b" * 200})).status == 202


def test_the_limit_of_a_body_is_a_setting():
    with home_in_memory(Settings(body_limit_bytes=2048)) as home:
        client = Client(home)
        problem(client.post("/events", b"x" * 2049), 413)
        problem(client.post("/events", b"x" * 2048), 400)


def test_a_body_that_never_ends_is_given_up(home):
    problem(Client(home, BodyLimits(seconds=0.05)).send("POST", "/events", [b"[", STALLS]), 408)


def test_a_client_that_goes_away_is_not_answered(client):
    assert client.send("POST", "/events", [b"[", LEAVES]) is None
    assert client.home.state.seq == 8


def test_pages_of_other_sites_may_not_write(client):
    event = did("ann", "big")
    problem(client.post("/events", event, origin="https://evil.example"), 403)
    problem(client.post("/events", event, origin="null"), 403)
    assert client.home.state.seq == 8
    assert client.post("/events", event, origin="http://shop.example").status == 202
    assert (
        "access-control-allow-origin"
        not in client.get("/recommend/ann", origin="https://evil.example").headers
    )


class Refusing:
    """A log that is not there."""

    def __init__(self, error):
        self.error = error

    def submit(self, _events):
        raise self.error


class Failing(Refusing):
    """A log whose disk is full."""

    def submit(self, _events):
        future = Future()
        future.set_exception(self.error)
        return future


@pytest.mark.parametrize(
    "log",
    [
        Refusing(UnavailableError("too many batches wait", retry_after=2.5)),
        Failing(NotDurableError("the disk is full; free some space", retry_after=2.5)),
    ],
)
def test_what_cannot_be_made_durable_is_not_acknowledged(home, monkeypatch, log):
    client = Client(home)
    monkeypatch.setattr(type(home), "log", log)
    answer = client.post("/events", did("ann", "big"))
    document = problem(answer, 503)
    assert document["detail"] == log.error.message
    assert answer.headers["retry-after"] == "3"
    assert client.get("/recommend/ann").status == 200


@pytest.mark.parametrize("event", [{"user_idx": 0, "item_idx": 3}, {"user_id": "ann", "item_id": "big"}])
def test_a_purchase_may_be_told_by_indexes_or_ids(client, event):
    assert client.post("/events/purchase", event).status == 202
    profile = client.get("/users/ann/profile").json
    assert [past["item_id"] for past in profile["recent_purchases"]] == ["big"]
    assert b"purchase_events_accepted_total 1" in client.get("/metrics").body


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"user_idx": 0, "item_idx": 99}, "item_idx"),
        ({"user_idx": -1, "item_idx": 0}, "user_idx"),
    ],
)
def test_an_index_that_nothing_has_is_refused_by_name_and_counted(client, event, field):
    document = problem(client.post("/events/purchase", event), 400)
    assert document["field"] == field
    assert f"the index {event[field]}" in document["detail"]
    assert b"purchase_lookup_errors_total" in client.get("/metrics").body


@pytest.mark.parametrize("index", ["0", 0.0, True])
def test_an_index_that_is_no_whole_number_is_refused_as_such_and_counted(client, index):
    document = problem(client.post("/events/purchase", {"user_idx": index, "item_idx": 0}), 400)
    assert document["field"] == "user_idx"
    assert document["detail"] == "user_idx must be a whole number, as 123"
    assert b"purchase_lookup_errors_total" in client.get("/metrics").body


def test_a_purchase_of_an_unknown_index_spoils_no_other_of_its_batch(client):
    batch = [{"user_idx": 0, "item_idx": 99}, {"user_idx": 0, "item_idx": 3}]
    receipt = client.post("/events/purchase", batch).json
    assert [event["status"] for event in receipt["events"]] == ["rejected", "accepted"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_view_is_recorded_and_answered_with_what_to_show_next(client, method):
    answer = client.send(method, "/api/products/fargo/view?user_id=new&n=2")
    assert answer.status == 200
    assert len(answer.json["recommendations"]) == 2
    assert client.get("/users/new/profile").json["events_by_type"] == {"view": 1}


def test_a_view_that_is_sent_again_with_its_key_is_recorded_once(client):
    for _ in range(2):
        answer = client.post("/api/products/fargo/view", {"user_id": "new"}, idempotency_key="k1")
        assert answer.status == 200
    assert client.get("/users/new/profile").json["events_by_type"] == {"view": 1}


def test_who_views_may_be_said_in_the_body(client):
    answer = client.post("/api/products/fargo/view?n=2", {"user_id": 7})
    assert (answer.status, answer.json["user_id"]) == (200, "7")
    assert client.get("/users/7/profile").json["events_by_type"] == {"view": 1}
    for body in (b"{", b"user_id=7", b'{"user_id": []}', b'{"user_id": ""}'):
        assert "error" in problem(client.post("/api/products/fargo/view", body), 400)


def test_a_view_without_a_person_is_refused_with_the_word_that_old_clients_read(client):
    document = problem(client.post("/api/products/fargo/view", b""), 400)
    assert document["error"] == document["detail"]
    assert "user_id" in document["detail"]


def test_duplicates_and_disorder_give_the_state_of_the_clean_stream(tmp_path):
    choose = random.Random(3)
    clean = [
        did(
            f"u{n % 7}",
            FILMS[choose.randrange(6)].item_id,
            "click",
            event_id=f"e{n}",
            timestamp=NOW // 1_000_000 - 900 + n,
        )
        for n in range(120)
    ]
    messy = [*clean, *choose.sample(clean, 12)]
    choose.shuffle(messy)
    prints = []
    for name, stream in (("clean", clean), ("messy", messy)):
        with open_home(tmp_path / name, settings=Settings(), create=True) as opened:
            opened.id_map.assign("user", [f"u{n}" for n in range(7)])
            opened.id_map.assign("item", [film.item_id for film in FILMS])
            opened.id_map.assign("type", ["click"])
            client = Client(opened)
            for start in range(0, len(stream), 10):
                assert client.post("/events", stream[start : start + 10]).status == 202
            prints.append(json.loads(client.get("/recommend/u1").body)["items"])
    assert prints[0] == prints[1]
