"""`POST /users/merge`."""


def test_an_anonymous_id_becomes_a_known_person(client):
    client.post("/events", {"user_id": "anonymous", "item_id": "fargo", "type": "like"})
    answer = client.post("/users/merge", {"from_user_id": "anonymous", "into_user_id": "anna"})
    assert answer.status == 200
    assert answer.json["merged"] is True
    shown = client.get("/recommend/anna").json
    assert shown["source"] == "personalized"
    assert shown["state_seq"] >= answer.json["state_seq"]
    assert client.get("/recommend/anonymous").json["user_id"] == "anna"


def test_ids_may_be_numbers(client):
    client.post("/events", {"user_id": 12, "item_id": "fargo", "type": "like"})
    answer = client.post("/users/merge", {"from_user_id": 12, "into_user_id": 7})
    assert (answer.status, answer.json["user_id"], answer.json["merged"]) == (200, "7", True)
    assert client.get("/recommend/12").json["user_id"] == "7"


def test_a_body_that_does_not_say_who_becomes_whom_is_refused(client):
    for body in ({}, {"from_user_id": "a"}, {"from_user_id": "a", "into_user_id": "a"}, [1]):
        answer = client.post("/users/merge", body)
        assert answer.status == 400, body
        assert answer.json["field"] in {"from_user_id", "into_user_id"}
