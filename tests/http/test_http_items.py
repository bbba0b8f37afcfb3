"""`/items`: the catalog, which the next answer knows."""

import pytest
from asgi_client import did, problem


def test_a_new_item_can_be_recommended_at_once(client):
    answer = client.put("/items/psycho", {"title": "Psycho", "categories": ["Horror"], "year": 1960})
    assert answer.json == {"item_id": "psycho", "catalog_version": 2, "changed": True}
    assert "psycho" in client.get("/recommend/new?category=Horror").ids


def test_an_item_is_read_as_it_was_put(client):
    sent = {"title": "Psycho", "text": "A motel.", "categories": ["Horror"], "year": 1960,
            "available_from": "1990-06-16T00:00:00Z", "in_stock": True}  # fmt: skip
    client.put("/items/psycho", sent)
    item = client.get("/items/psycho").json
    assert item["attributes"] == {"year": 1960}
    assert item["item_idx"] == 6
    assert {name: item[name] for name in ("title", "text", "categories", "in_stock")} == {
        name: sent[name] for name in ("title", "text", "categories", "in_stock")
    }


def test_the_dense_index_names_an_item_too(client):
    assert client.get("/items/1").json["item_id"] == "heat"


def test_putting_the_same_again_changes_nothing(client):
    body = {"title": "Psycho"}
    client.put("/items/psycho", body)
    assert client.put("/items/psycho", body).json["changed"] is False


@pytest.mark.parametrize(
    "change",
    [{"hidden": True}, {"in_stock": False}, {"available_from": "2030-01-01T00:00:00Z"},
     {"available_until": "2020-01-01T00:00:00Z"}],
)  # fmt: skip
def test_what_may_not_be_shown_is_in_no_answer_from_then_on(client, change):
    assert "big" in client.get("/recommend/new").ids
    client.put("/items/big", {"title": "Big", "categories": ["Comedy"], **change})
    assert "big" not in client.get("/recommend/new").ids
    assert "big" not in client.get("/recommend/new?category=Comedy").ids


def test_an_item_appears_when_its_time_comes(client):
    client.put("/items/soon", {"title": "Soon", "available_from": (client.now + 1_000_000) // 1_000_000})
    assert "soon" not in client.get("/recommend/new").ids
    client.now += 1_000_000
    assert "soon" in client.get("/recommend/new").ids


def test_a_deleted_item_is_gone_and_deleting_it_again_changes_nothing(client):
    assert client.send("DELETE", "/items/big").json["changed"] is True
    assert client.send("DELETE", "/items/big").json["changed"] is False
    assert client.send("DELETE", "/items/never").json["changed"] is False
    problem(client.get("/items/big"), 404)
    assert "big" not in client.get("/recommend/new").ids


def test_an_event_for_an_item_that_no_catalog_knows_makes_it_recommendable(client):
    client.post("/events", did("ann", "mystery"))
    assert "mystery" in client.get("/recommend/new").ids


def test_a_batch_gets_a_status_per_item(client):
    batch = [{"item_id": "a", "title": "A"}, {"title": "nameless"}, {"item_id": "b", "price": {"eur": 3}}]
    answer = client.put("/items", {"items": batch})
    assert answer.status == 200
    assert [status["status"] for status in answer.json["items"]] == ["stored", "rejected", "rejected"]
    assert answer.json["items"][2]["field"] == "price"
    assert (answer.json["stored"], answer.json["rejected"]) == (1, 2)


def test_a_batch_of_which_nothing_can_be_stored_is_refused(client):
    assert len(problem(client.put("/items", [{}, 7]), 400)["errors"]) == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"7", b"null", b'{"title": 7}', b'{"item_id": "other"}', b'{"price": NaN}',
     b'{"categories": {"a": 1}}', b'{"in_stock": "yes"}', b'{"available_from": "soon"}',
     b'{"title": "' + b"x" * 2000 + b'"}', b'{"a":' * 50_000 + b"1" + b"}" * 50_000],
    ids=lambda body: body[:40].decode(),
)  # fmt: skip
def test_a_hostile_item_is_refused(client, body):
    problem(client.put("/items/x", body), 400)
    problem(client.get("/items/x"), 404)


def test_search_finds_words_of_titles_and_leaves_out_what_is_hidden(client):
    assert [item["item_id"] for item in client.get("/catalog/search?q=FAR").json["items"]] == ["fargo"]
    client.put("/items/fargo", {"title": "Fargo", "hidden": True})
    assert client.get("/catalog/search?q=far").json["items"] == []


def test_search_without_words_gives_the_most_popular(client):
    found = [item["item_id"] for item in client.get("/catalog/search?limit=2").json["items"]]
    assert set(found) == {"fargo", "heat"}


def test_search_may_be_kept_to_categories(client):
    found = client.get("/catalog/search?category=Horror").json["items"]
    assert {item["item_id"] for item in found} == {"alien", "jaws"}


def test_the_catalog_is_described_at_a_glance(client):
    summary = client.get("/catalog").json
    assert summary["available"] == 6
    assert summary["categories"][0] == {"name": "Crime", "count": 3}
    assert "watch" in summary["taken_by"]


def test_some_people_are_listed_with_their_number_of_events(client):
    users = client.get("/users?limit=2").json["users"]
    assert [user["user_id"] for user in users] == ["ann", "dee"]
    assert users[0]["events"] == 2


def test_those_who_did_something_last_are_listed_first_if_asked_so(client):
    client.post("/events", {"user_id": "bob", "item_id": "heat", "type": "watch"})
    client.post("/events", {"user_id": "eve", "item_id": "jaws", "type": "watch"})
    client.post("/events", {"user_id": "bob", "item_id": "alien", "type": "watch"})
    users = client.get("/users?limit=2&order=recent").json["users"]
    assert [user["user_id"] for user in users] == ["bob", "eve"]
    problem(client.get("/users?order=oldest"), 400)


def test_an_item_may_bring_a_vector_and_is_read_with_it(client):
    assert client.put("/items/elf", {"title": "Elf", "vector": [0.5, -1, 2]}).status == 200
    assert client.get("/items/elf").json["vector"] == [0.5, -1.0, 2.0]
    assert client.get("/items/big").json["vector"] == []
    document = problem(client.put("/items/ran", {"title": "Ran", "vector": [0.5, -1]}), 400)
    assert document["field"] == "vector"
    assert "same dimension" in document["detail"]


def test_an_order_that_there_is_not_is_refused_with_those_there_are(client):
    refused = client.get("/users?order=best")
    assert (refused.status, refused.json["field"]) == (400, "order")
    assert refused.json["detail"].endswith("not 'best'")
    assert "recent" in refused.json["detail"]
