"""`GET /recommendations/{id}`: what was answered, from what, and the same again."""


def test_a_past_answer_is_shown_with_its_inputs(client):
    shown = client.get("/recommend/anna?k=3&context_device=phone").json
    past = client.get(f"/recommendations/{shown['recommendation_id']}").json
    assert past["user_id"] == "anna"
    assert [item["item_id"] for item in past["items"]] == [item["item_id"] for item in shown["items"]]
    assert [item["score"] for item in past["items"]] == [item["score"] for item in shown["items"]]
    assert past["query"]["k"] == 3
    assert past["query"]["context"] == {"device": "phone"}
    assert past["versions"]["state_seq"] == shown["state_seq"]
    assert past["reproduced"] is None


def test_it_is_given_again_although_the_world_moved_on(client):
    client.post("/events", {"user_id": "anna", "item_id": "fargo", "type": "like"})
    shown = client.get("/recommend/anna?k=3&explain=true").json
    client.post("/events", {"user_id": "anna", "item_id": shown["items"][0]["item_id"], "type": "purchase"})
    client.put(f"/items/{shown['items'][1]['item_id']}", {"title": "Another name", "hidden": True})
    assert client.get("/recommend/anna?k=3").ids != [item["item_id"] for item in shown["items"]]
    again = client.get(f"/recommendations/{shown['recommendation_id']}?reproduce=true").json["reproduced"]
    assert again["identical"] is True
    assert again["items"] == shown["items"]


def test_similar_items_can_be_looked_up_too(client):
    client.post("/events", {"user_id": "anna", "item_id": "fargo", "type": "like"})
    shown = client.get("/items/fargo/similar").json
    past = client.get(f"/recommendations/{shown['recommendation_id']}?reproduce=true").json
    assert past["scenario"] == "similar"
    assert past["reproduced"]["identical"] is True


def test_an_id_that_is_none_is_a_wrong_parameter(client):
    answer = client.get("/recommendations/nonsense")
    assert answer.status == 400
    assert answer.json["field"] == "recommendation_id"


def test_an_answer_without_a_record_is_not_found_but_its_id_tells(client):
    shown = client.get("/recommend/anna?dry_run=true").json
    answer = client.get(f"/recommendations/{shown['recommendation_id']}")
    assert answer.status == 404
    assert f"event {shown['state_seq']} of the log" in answer.json["detail"]
