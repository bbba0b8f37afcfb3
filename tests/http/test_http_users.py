"""`/users/{user_id}`: what is known of a person."""

from asgi_client import problem


def test_what_is_told_of_a_person_is_read_again(client):
    answer = client.put(
        "/users/anna", {"attributes": {"age": 24, "country": "France", "member": True, "x": None}}
    )
    told = {"user_id": "anna", "attributes": {"age": 24, "country": "France", "member": True}}
    assert answer.json == told
    assert client.get("/users/anna").json == told


def test_a_person_of_whom_nothing_is_known_is_not_found(client):
    assert client.get("/users/nobody").status == 404


def test_what_is_no_attribute_is_refused_by_name(client):
    answer = client.put("/users/anna", {"attributes": {"tags": ["a", "b"]}})
    assert answer.status == 400
    assert "attributes" in problem(answer, 400)["detail"]
    assert client.put("/users/anna", {"attributes": {"bio": "x" * 300}}).status == 400
    assert client.put("/users/anna", b"\xff").status == 400


def test_attributes_without_their_wrapper_are_refused_and_nothing_is_lost(client):
    client.put("/users/anna", {"attributes": {"age": 24}})
    refused = problem(client.put("/users/anna", {"age": 25}), 400)
    assert '{"attributes": {"age": 25' in refused["detail"]
    assert client.get("/users/anna").json["attributes"] == {"age": 24}


def test_what_was_read_of_a_person_can_be_put_back(client):
    client.put("/users/anna", {"attributes": {"age": 24}})
    read = client.get("/users/anna").json
    assert client.put("/users/anna", read).json == read
    refused = problem(client.put("/users/berta", read), 400)
    assert refused["field"] == "user_id"
    assert client.get("/users/berta").status == 404


def test_attributes_are_circumstances_of_the_next_answer(client):
    client.put("/users/anna", {"attributes": {"age": 24, "country": "France"}})
    assert client.home.circumstances_of("anna") == ("age=20", "country=france")
    assert client.get("/recommend/anna").status == 200
