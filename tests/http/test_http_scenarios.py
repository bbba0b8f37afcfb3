"""Scenarios over HTTP: asked, listed, put, taken back, previewed, and run as a shadow."""

import pytest
from asgi_client import FILMS, NOW, PAST, Client, problem

from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.pipeline.scenario import SHIPPED

SECONDS = 10.0


def test_every_shipped_scenario_answers_without_configuration(client):
    for name in SHIPPED:
        answer = client.get(f"/recommend/ann?scenario={name}&item_ids=fargo,big,clue&k=2")
        assert answer.status == 200, answer.body
        assert len(answer.ids) == 2
        assert answer.json["scenario"] == name or answer.json["instead_of"] == name


@pytest.mark.parametrize("name", ["similar", "cart", "rerank"])
def test_a_scenario_that_needs_items_says_which_parameter(client, name):
    document = problem(client.get(f"/recommend/ann?scenario={name}"), 400)
    assert document["field"] == "item_ids"
    assert name in document["detail"]


def test_a_cart_is_answered_without_what_is_in_it(client):
    answer = client.get("/recommend/ann?scenario=cart&item_ids=heat,clue")
    assert not {"heat", "clue"} & set(answer.ids)
    assert answer.json["title"] == "Often taken together"
    one = client.get("/recommend?scenario=cart&item_id=heat")
    assert "heat" not in one.ids


def test_only_the_items_that_are_named_are_put_in_order(client):
    answer = client.get("/recommend/ann?scenario=rerank&item_ids=jaws,nope,big,fargo")
    assert sorted(answer.ids) == ["big", "fargo", "jaws"]


def test_because_you_watched_names_the_film(client):
    answer = client.get("/recommend/bob?scenario=because-you-watched").json
    assert answer["title"] == "Because you watched Clue"
    chosen = client.get("/recommend/ann?scenario=because-you-watched&item_id=heat").json
    assert chosen["title"] == "Because you rated Heat"
    assert "Often follows Heat" in {item["reason"] for item in chosen["items"]}


def test_a_stranger_is_answered_by_another_scenario_that_is_named(client):
    answer = client.get("/recommend/nobody?scenario=because-you-watched").json
    assert (answer["scenario"], answer["instead_of"], answer["title"]) == ("home", "because-you-watched", "")


def test_all_scenarios_are_listed(client):
    listed = client.get("/scenarios").json
    assert [one["name"] for one in listed["scenarios"]] == sorted(SHIPPED)
    assert {one["origin"] for one in listed["scenarios"]} == {"shipped"}
    assert (listed["file"], listed["wrong"]) == (None, None)
    (cart,) = (one for one in listed["scenarios"] if one["name"] == "cart")
    assert (cart["needs_items"], cart["fallback"]) == (True, ["home"])


def test_what_is_put_serves_the_next_answer_and_can_be_taken_back(client):
    put = client.put("/scenarios/landing", {"k": 2, "title": "Hello", "filter": ["year > 1990"]})
    assert (put.status, put.json["origin"], put.json["recipe"]["k"]) == (200, "api", 2)
    answer = client.get("/recommend/new?scenario=landing").json
    assert (answer["title"], {item["item_id"] for item in answer["items"]}) == ("Hello", {"fargo", "heat"})
    assert client.get("/scenarios/landing").json == put.json
    assert client.put("/scenarios/landing", put.json["recipe"]).json["version"] == put.json["version"]
    assert client.send("DELETE", "/scenarios/landing").json == {"name": "landing", "serving": None}
    problem(client.get("/recommend/new?scenario=landing"), 404)
    problem(client.get("/scenarios/landing"), 404)
    problem(client.send("DELETE", "/scenarios/landing"), 404)


def test_a_shipped_one_that_was_put_over_serves_again_when_that_is_taken_back(client):
    client.put("/scenarios/home", {"k": 1})
    assert len(client.get("/recommend/new").ids) == 1
    back = client.send("DELETE", "/scenarios/home").json["serving"]
    assert (back["origin"], back["version"]) == ("shipped", SHIPPED["home"].version)


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("home", {"diversity": 1}, "home.diversity: there is no such key"),
        ("home", {"k": "ten"}, "write it as k = 10"),
        ("home", {"filter": ["yaer > 1990"]}, "did you mean year?"),
        ("a", {"fallback": ["a"]}, "circle"),
        ("a", {"sources": ["magic"]}, "no source is called 'magic'"),
        ("Odd%20name", {}, "begins with a letter"),
        ("home", [1], "JSON object"),
        ("home", b"{", "JSON object"),
        ("home", {"name": "other"}, "home.name"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused_and_changes_nothing(client, name, body, said):
    for target in (f"/scenarios/{name}", f"/scenarios/{name}/preview"):
        answer = client.put(target, body) if "preview" not in target else client.post(target, body)
        assert said in problem(answer, 400)["detail"]
    assert {one["origin"] for one in client.get("/scenarios").json["scenarios"]} == {"shipped"}


def test_a_preview_shows_both_lists_and_changes_nothing(client):
    shown = [client.get(f"/recommend/{user}?k=3").ids for user in ("ann", "bob", "ann", "new")]
    client.get("/recommend/cem?scenario=discover")
    answer = client.post("/scenarios/home/preview?examples=2", {"filter": ["title != 'Clue'"]})
    found = answer.json
    assert (found["requests"], found["failed"], found["compared_with"]) == (4, 0, "home")
    with_clue = [ids for ids in shown if "clue" in ids]
    assert found["changed"] == len(with_clue) > 1
    assert found["overlap"] == pytest.approx(1 - len(with_clue) / (4 * 3))
    (first,) = found["examples"]
    assert (first["user_id"], first["times"]) == ("ann", 2)
    assert [item["item_id"] for item in first["before"]] in with_clue
    assert "clue" not in {item["item_id"] for item in first["after"]}
    assert [item["was"] for item in first["after"]].count(None) == 1
    assert client.get("/scenarios/home").json["version"] == found["version_before"]
    assert found["version_after"] != found["version_before"]
    assert len(list(client.home.exposures.read())) == 5


def test_a_preview_of_the_same_recipe_changes_no_list(client):
    client.get("/recommend/ann")
    found = client.post("/scenarios/home/preview", {}).json
    assert (found["changed"], found["overlap"], found["rank_shift"], found["examples"]) == (0, 1.0, 0.0, [])


def test_a_new_scenario_is_tried_on_the_requests_of_another(client):
    client.get("/recommend/ann")
    assert client.post("/scenarios/landing/preview", {"k": 2}).json["requests"] == 1
    other = client.post("/scenarios/landing/preview?of=discover", {"k": 2}).json
    assert (other["requests"], other["overlap"]) == (0, 1.0)
    problem(client.post("/scenarios/landing/preview?of=nope", {}), 404)
    assert problem(client.post("/scenarios/home/preview?requests=0", {}), 400)["field"] == "requests"


def test_one_preview_runs_at_a_time(client):
    with client.home.scenario_book.previewing:
        answer = client.post("/scenarios/home/preview", {})
    assert "another preview" in problem(answer, 503)["detail"]
    assert client.post("/scenarios/home/preview", {}).status == 200


def test_a_shadow_is_compared_and_never_shown_or_recorded(client):
    client.put("/scenarios/calm", {"filter": ["year < 1996"]})
    client.put("/scenarios/home", {"shadow": "calm"})
    shown = client.get("/recommend/new").ids
    assert client.home.answerer.shadows.settle(SECONDS)
    report = client.get("/scenarios/home").json["shadow"]
    assert (report["shadow"], report["compared"], report["changed"]) == ("calm", 1, 1)
    assert (report["latest"][0]["shown"], report["latest"][0]["shadow"]) == (shown, ["heat"])
    assert [record.scenario for record in client.home.exposures.read()] == ["home"]
    measures = client.get("/metrics").body.decode()
    assert 'scenario_shadow_total{outcome="changed",scenario="home",shadow="calm"} 1' in measures
    assert client.get("/scenarios/calm").json["shadow"] is None


@pytest.fixture
def filed(tmp_path):
    with open_home(tmp_path / "home", settings=Settings(), create=True) as home:
        home.put_items(FILMS)
        home.recorder.record(PAST, now=NOW)
        yield Client(home), tmp_path / "home" / "scenarios.toml"


def test_a_file_is_looked_at_when_asked_and_a_bad_one_is_told_with_its_line(filed):
    client, path = filed
    path.write_text('[home]\nk = 2\ntitle = "From a file"\n')
    listed = client.post("/scenarios/reload", b"").json
    assert listed["file"] == "scenarios.toml"
    assert {one["name"] for one in listed["scenarios"] if one["origin"] == "file"} == {"home"}
    assert client.get("/recommend/new").json["title"] == "From a file"
    path.write_text("[home]\nk = 2\n\nkay = 2\n")
    document = problem(client.post("/scenarios/reload", b""), 400)
    assert "scenarios.toml, line 4, home.kay" in document["detail"]
    assert len(client.get("/recommend/new").ids) == 2
    assert "line 4" in client.get("/scenarios").json["wrong"]
    assert any("line 4" in wrong for wrong in client.get("/health/ready").json["wrong"])
