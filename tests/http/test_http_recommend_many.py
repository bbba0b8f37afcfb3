"""`POST /recommend/batch`: many people in one request, each with a status of their own."""

import pytest
from asgi_client import FILMS, PAST, Client, did, problem

from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory
from foretaste.serving.answerer import Answerer


def test_each_gets_what_they_would_get_alone(client):
    people = ["ann", "bob", "stranger", 7]
    told = client.post("/recommend/batch", {"user_ids": people, "k": 2}).json
    assert told["failed"] == 0
    assert [(each["user_id"], each["status"]) for each in told["answers"]] == [
        (str(person), 200) for person in people
    ]
    for each in told["answers"]:
        alone = client.get(f"/recommend/{each['user_id']}?k=2").ids
        assert [item["item_id"] for item in each["answer"]["items"]] == alone


def test_one_that_fails_spoils_it_for_nobody(client, monkeypatch):
    recommend = Answerer.recommend

    def fails_for_bob(self, query, **options):
        if query.user_id == "bob":
            raise ZeroDivisionError
        return recommend(self, query, **options)

    monkeypatch.setattr(Answerer, "recommend", fails_for_bob)
    told = client.post("/recommend/batch", {"user_ids": ["ann", "bob", "", "cem"]}).json
    assert [each["status"] for each in told["answers"]] == [200, 500, 400, 200]
    assert told["failed"] == 2
    assert told["answers"][1]["answer"] is None


def test_others_are_answered_in_between(client, monkeypatch):
    recommend, asked = Answerer.recommend, []

    def noted(self, query, **options):
        asked.append(query.user_id)
        return recommend(self, query, **options)

    monkeypatch.setattr(Answerer, "recommend", noted)
    people = [f"p{place}" for place in range(9)]
    many = ("POST", "/recommend/batch", {"user_ids": people})
    client.together(many, ("GET", "/recommend/bob", b""))
    assert set(asked) == {"bob", *people}
    assert asked.index("bob") < len(people) - 1


def test_a_question_that_cannot_be_asked_is_refused_as_a_whole(client):
    body = {"user_ids": ["ann"]}
    assert problem(client.post("/recommend/batch", {**body, "filter": ["pric <"]}), 400)
    assert problem(client.post("/recommend/batch", {**body, "scenario": "nope"}), 404)
    assert problem(client.post("/recommend/batch", {**body, "model": "nope"}), 400)
    assert problem(client.post("/recommend/batch", {"user_ids": []}), 400)
    assert problem(client.post("/recommend/batch", b"["), 400)


def test_how_many_there_may_be_is_a_setting():
    with home_in_memory(Settings(batch_users=2)) as home:
        home.put_items(FILMS)
        client = Client(home)
        client.now += 1
        home.recorder.record(PAST, now=client.now)
        assert client.post("/recommend/batch", {"user_ids": ["ann", "bob"]}).status == 200
        refused = problem(client.post("/recommend/batch", {"user_ids": ["ann", "bob", "cem"]}), 400)
        assert "batch_users" in refused["detail"]
        assert refused["field"] == "user_ids"


def test_a_person_called_batch_is_a_person(client):
    client.post("/events", [did("batch", "fargo", "watch")])
    answer = client.get("/recommend/batch?k=2")
    assert (answer.status, answer.json["user_id"]) == (200, "batch")
    problem(client.send("DELETE", "/recommend/batch"), 405)


@pytest.mark.parametrize("kind", ["recommendation_requests_total", "recommendation_latency_seconds_count"])
def test_each_answer_is_counted(client, kind):
    client.post("/recommend/batch", {"user_ids": ["ann", "bob"]})
    lines = [line for line in client.get("/metrics").body.decode().splitlines() if line.startswith(kind)]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in lines) == 2
