"""`GET /recommend`, `/items/{id}/similar` and `/users/{id}/profile`, as their clients meet them."""

import json
from urllib.parse import quote

import pytest
from asgi_client import did, problem


def test_a_known_person_gets_what_follows_from_their_past(client):
    answer = client.get("/recommend/ann")
    assert answer.status == 200
    assert answer.json["source"] == "personalized"
    assert answer.ids[0] == "clue"
    assert not {"fargo", "heat"} & set(answer.ids)


def test_an_answer_says_what_it_is_and_why(client):
    answer = client.get("/recommend/ann?k=1").json
    unused = {"experiment", "variant", "instead_of", "next_cursor"}
    assert {name for name in answer if answer[name] is None} == unused
    assert answer["state_seq"] == 8
    assert answer["scenario"] == "home"
    (item,) = answer["items"]
    assert item["rank"] == 1
    assert item["title"] == "Clue"
    assert item["item_idx"] == 4
    assert item["propensity"] == 1.0
    assert 0.0 <= item["match"] <= 1.0
    assert item["sources"]
    assert item["reason"]


def test_metadata_comes_with_the_item(client):
    items = {item["item_id"]: item for item in client.get("/recommend/dee").json["items"]}
    assert items["fargo"]["metadata"] == {"year": 1996.0}
    assert items["fargo"]["categories"] == ["Crime", "Drama"]


def test_an_unknown_person_gets_what_is_trending_and_is_told_so(client):
    answer = client.get("/recommend/never-seen")
    assert answer.status == 200
    assert answer.json["source"] == "trending"
    assert len(answer.ids) == 6


def test_nobody_in_particular_gets_what_is_trending(client):
    assert client.get("/recommend").json["source"] == "trending"
    assert client.get("/recommend").json["user_id"] is None


def test_the_person_may_be_a_parameter_and_the_number_be_called_limit(client):
    by_path, by_query = client.get("/recommend/ann?k=2"), client.get("/recommend?user_id=ann&limit=2")
    assert by_query.ids == by_path.ids
    assert len(by_path.ids) == 2


def test_an_empty_catalog_and_log_give_an_empty_list(empty):
    answer = empty.get("/recommend/anyone")
    assert answer.status == 200
    assert answer.json["items"] == []


def test_the_dense_index_stands_for_the_id_unless_someone_is_called_so(client):
    assert client.get("/recommend/0").json["user_id"] == "ann"
    client.post("/events", did("0", "big"))
    assert client.get("/recommend/0").json["user_id"] == "0"


def test_digits_with_zeros_in_front_are_no_index(client):
    assert client.get("/recommend/00").json["source"] == "trending"


def test_ids_too_long_for_an_index_keep_no_others_from_being_one(client):
    client.post("/events", did("108775015", "0663713001"))
    assert client.get("/recommend/0").json["user_id"] == "ann"
    assert client.get("/items/1").json["item_id"] == "heat"


@pytest.mark.parametrize("name", ["17", "0017"])
def test_where_ids_are_numbers_an_unknown_number_is_somebody_new(client, name):
    client.post("/events", did(name, "big"))
    assert client.get("/recommend/0").json["source"] == "trending"


def test_an_index_that_nobody_has_is_an_unknown_person(client):
    assert client.get("/recommend/4").json["source"] == "trending"
    assert client.get("/recommend/99999999999999999999").json["source"] == "trending"


@pytest.mark.parametrize("k", ["0", "51", "ten", "1000000000", "-1", "1.5", "", "NaN", "%00", "1e400"])
def test_a_number_out_of_its_range_is_refused_by_name(client, k):
    document = problem(client.get(f"/recommend/ann?k={k}"), 400)
    assert document["field"] == "k"
    assert "from 1 to 50" in document["detail"]


@pytest.mark.parametrize("name", ["k", "n", "limit"])
def test_a_wrong_parameter_is_called_as_the_client_called_it(client, name):
    for path in ("/recommend/ann?", "/api/recommendations?user_id=ann&"):
        document = problem(client.get(f"{path}{name}=0"), 400)
        assert document["field"] == name
        assert document["detail"].startswith(f"{name} must be a whole number from 1 to 50")


@pytest.mark.parametrize("k", ["1", "50"])
def test_the_ends_of_the_range_are_allowed(client, k):
    assert client.get(f"/recommend/ann?k={k}").status == 200


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("diversity_lambda", "1.1"),
        ("diversity_lambda", "nan"),
        ("diversity_lambda", "-0.1"),
        ("explain_top_k", "0"),
        ("explain_top_k", "11"),
        ("explain", "perhaps"),
        ("min_score", "inf"),
        ("min_score", "nan"),
        ("filter", "no-colon"),
        ("scenario", "x" * 65),
    ],
)
def test_every_other_parameter_is_checked_too(client, parameter, value):
    assert problem(client.get(f"/recommend/ann?{parameter}={value}"), 400)["field"] == parameter


def test_a_parameter_that_is_given_twice_is_refused(client):
    assert problem(client.get("/recommend/ann?k=1&k=2"), 400)["field"] == "k"
    assert problem(client.get("/recommend/ann?k=1&limit=2"), 400)["field"] == "limit"


def test_what_is_no_parameter_is_ignored(client):
    assert client.get("/recommend/ann?utm_source=mail&context_device=phone").status == 200


def test_a_query_string_that_is_no_text_is_refused(client):
    problem(client.get("/recommend/ann?k=%ff"), 400)
    problem(client.send("GET", b"/recommend/ann?k=\xff"), 400)
    problem(client.get("/recommend/ann?" + "&".join(f"a{n}=1" for n in range(101))), 400)


def test_too_many_values_are_refused(client):
    ids = ",".join(str(number) for number in range(1001))
    assert problem(client.get(f"/recommend/ann?exclude_ids={ids}"), 400)["field"] == "exclude_ids"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("category=Horror", {"alien", "jaws"}),
        ("product_group=Comedy", {"big", "clue"}),
        ("product_type=Sci-Fi,Comedy", {"alien", "big", "clue"}),
        ("filter=studio:Fox", {"alien"}),
        ("filter=studio:Fox&filter=studio:Universal", {"alien", "jaws"}),
        ("category=Horror&filter=studio:Fox", {"alien"}),
        ("category=Horror&filter=category:Comedy", {"alien", "jaws", "big", "clue"}),
        ("exclude_ids=clue,alien", {"fargo", "heat", "big", "jaws"}),
        ("exclude_ids=clue,%20alien,+big", {"fargo", "heat", "jaws"}),
        ("exclude_groups=Horror", {"fargo", "heat", "big", "clue"}),
        ("exclude_types=Crime", {"alien", "big", "jaws"}),
        ("category=Horror&category=Comedy", {"alien", "jaws", "big", "clue"}),
        ("category=Western", set()),
    ],
)
def test_filters_and_exclusions_decide_what_may_be_shown(client, query, expected):
    assert set(client.get(f"/recommend/new?{query}").ids) == expected


def test_an_answer_is_full_as_long_as_enough_items_pass(client):
    assert len(client.get("/recommend/new?k=2&category=Horror").ids) == 2


def test_min_score_leaves_out_what_scores_below(client):
    scores = [item["score"] for item in client.get("/recommend/ann").json["items"]]
    limit = scores[1]
    kept = client.get(f"/recommend/ann?min_score={limit}").json["items"]
    assert [item["score"] for item in kept] == [score for score in scores if score >= limit]


def test_an_explanation_names_past_items_whose_shares_sum_to_100(client):
    (first, *_) = client.get("/recommend/ann?explain=true").json["items"]
    assert {evidence["item_id"] for evidence in first["explanation"]} <= {"fargo", "heat"}
    assert sum(evidence["contribution_pct"] for evidence in first["explanation"]) == pytest.approx(100.0)
    assert first["explanation"][0]["item_name"] in {"Fargo", "Heat"}


def test_explain_top_k_bounds_the_evidence(client):
    (first, *_) = client.get("/recommend/ann?explain=true&explain_top_k=1").json["items"]
    assert len(first["explanation"]) == 1


def test_without_being_asked_nothing_is_explained(client):
    assert client.get("/recommend/ann").json["items"][0]["explanation"] is None


def test_an_unknown_scenario_or_model_is_not_found_and_those_there_are_named(client):
    assert "home" in problem(client.get("/recommend/ann?scenario=nope"), 404)["detail"]
    assert "popularity" in problem(client.get("/recommend/ann?model=nope"), 400)["detail"]
    assert problem(client.get("/recommend/ann?scenario=similar"), 400)["field"] == "item_ids"


@pytest.mark.parametrize("odd", ["AC/DC", "🦊 fox", "a b", "%", "..", "a?b#c", "é" * 128, "../../etc/passwd"])
def test_any_text_up_to_256_bytes_is_an_id(client, odd):
    written = quote(odd, safe="")
    assert client.put(f"/items/{written}", {"title": "Odd"}).status == 200
    assert client.post("/events", did(odd, odd)).status == 202
    assert client.get(f"/recommend/{written}").json["user_id"] == odd
    assert client.get(f"/items/{written}").json["item_id"] == odd
    assert client.get(f"/items/{written}/similar").status == 200
    assert client.get(f"/users/{written}/profile").json["user_id"] == odd


@pytest.mark.parametrize("bad", ["%ff", "%00", "a%00b", "x" * 257, "x" * 1_000_000])
def test_what_cannot_be_an_id_is_refused(client, bad):
    problem(client.get(f"/recommend/{bad}"), 400)
    problem(client.get(f"/items/{bad}/similar"), 400)


def test_an_address_without_an_id_is_not_found(client):
    problem(client.get("/recommend/"), 404)
    problem(client.get("/items//similar"), 404)


def test_a_dry_run_is_neither_recorded_nor_counted(client, home):
    before = home.telemetry.exposition()
    dry = client.get("/recommend/ann?dry_run=true").json
    assert home.telemetry.exposition() == before
    assert home.exposures.get(dry["recommendation_id"]) is None
    real = client.get("/recommend/ann").json
    assert home.exposures.get(real["recommendation_id"]).user_id == "ann"


def test_similar_items_leave_out_the_item_itself(client):
    answer = client.get("/items/fargo/similar")
    assert answer.status == 200
    assert "heat" in answer.ids
    assert "fargo" not in answer.ids


def test_similar_items_take_the_same_filters(client):
    assert "heat" not in client.get("/items/fargo/similar?exclude_ids=heat").ids
    assert set(client.get("/items/fargo/similar?category=Comedy").ids) <= {"big", "clue"}
    assert problem(client.get("/items/fargo/similar?k=51"), 400)["field"] == "k"


def test_an_item_may_be_named_by_its_index(client):
    assert client.get("/items/0/similar").ids == client.get("/items/fargo/similar").ids


def test_an_unknown_or_deleted_item_is_not_found(client):
    assert "nope" in problem(client.get("/items/nope/similar"), 404)["detail"]
    client.send("DELETE", "/items/heat")
    problem(client.get("/items/heat/similar"), 404)


def test_a_profile_counts_what_people_took_where_nobody_purchases(client):
    profile = client.get("/users/ann/profile").json
    assert profile["total_purchases"] == 2
    assert "rating" in profile["counted_types"]
    assert profile["first_purchase_at"] == "2024-06-01T10:00:00Z"
    assert profile["last_purchase_at"] == "2024-06-02T10:00:00Z"
    assert [past["item_id"] for past in profile["recent_purchases"]] == ["heat", "fargo"]
    assert profile["recent_purchases"][0]["metadata"] == {"year": 1995.0}
    assert profile["top_product_groups"] == [{"name": "Crime", "count": 2, "percentage": 100.0}]
    assert {share["name"] for share in profile["top_product_types"]} == {"Crime", "Drama"}
    assert [topic["name"] for topic in profile["preferences"]["topics"]] == ["Crime", "Drama"]
    assert profile["preferences"]["topics"][0]["last_at"] == profile["last_activity_at"]


def test_a_profile_counts_purchases_alone_where_there_are_any(client):
    client.post("/events", did("ann", "big", "purchase", timestamp="2024-07-01T00:00:00Z"))
    client.post("/events", did("ann", "big", "purchase", timestamp="2024-08-01T00:00:00Z"))
    profile = client.get("/users/ann/profile").json
    assert profile["counted_types"] == ["purchase"]
    assert profile["total_purchases"] == 2
    assert profile["first_purchase_at"] == "2024-07-01T00:00:00Z"
    assert profile["last_purchase_at"] == "2024-08-01T00:00:00Z"
    assert [(past["item_id"], past["count"]) for past in profile["recent_purchases"]] == [("big", 2)]


def test_a_profile_s_limits_are_checked_and_kept(client):
    short = client.get("/users/bob/profile?recent_limit=1&top_categories=1").json
    assert (
        len(short["recent_purchases"]) == len(short["recent_events"]) == len(short["top_product_groups"]) == 1
    )
    for query in ("recent_limit=0", "recent_limit=51", "top_categories=0", "top_categories=11"):
        assert problem(client.get(f"/users/bob/profile?{query}"), 400)["field"] == query.partition("=")[0]


def test_somebody_without_a_past_has_no_profile(client):
    assert problem(client.get("/users/nobody/profile"), 404)["type"] == "urn:foretaste:problem:unknown-user"


def test_an_answer_is_json_that_any_client_reads(client):
    answer = client.get("/recommend/ann")
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert json.loads(answer.body)


def test_an_id_may_be_raw_bytes_of_its_utf8(client):
    assert client.get("/recommend/jürgen?k=1").json["user_id"] == "jürgen"


def test_ids_in_a_body_may_be_numbers_but_no_truth_values(client):
    client.put("/items/7", {"title": "Seven"})
    asked = {"user_id": "nobody", "k": 10}
    assert "7" in client.post("/recommend", asked).ids
    assert "7" not in client.post("/recommend", asked | {"exclude_ids": [7]}).ids
    similar = client.post("/recommend", {"scenario": "similar", "item_id": 7})
    assert similar.status == 200
    many = client.post("/recommend/batch", {"user_ids": ["nobody"], "exclude_ids": [7], "k": 10}).json
    assert "7" not in [item["item_id"] for item in many["answers"][0]["answer"]["items"]]
    assert client.post("/recommend", asked | {"exclude_ids": [True]}).status == 400
    assert client.post("/recommend", asked | {"item_id": False}).status == 400


@pytest.mark.parametrize(
    "name",
    [
        "boost", "category", "context", "debug", "dry_run", "exclude_groups", "exclude_ids", "exclude_types",
        "explain", "explain_top_k", "filter", "item_ids", "k", "min_score", "product_group", "rules",
        "scenario",
    ],
)  # fmt: skip
def test_an_option_of_a_body_that_is_null_is_as_good_as_left_out(client, name):
    expected = client.post("/recommend", {"user_id": "ann"})
    answer = client.post("/recommend", {"user_id": "ann", name: None})
    assert (answer.status, answer.ids) == (200, expected.ids)


def test_circumstances_in_a_body_are_plain_values_or_nested_once(client):
    told = {
        "device": "phone",
        "hour": 9,
        "member": True,
        "x": None,
        "place": {"city": "Oslo"},
        "t": ["a", "b"],
    }
    only = ['context.hour == "9"', 'context.member == "true"', 'context["place.city"] == "Oslo"']
    asked = {"user_id": "ann", "context": told, "filter": [*only, 'context.t == "a|b"']}
    assert client.post("/recommend", asked).ids == client.post("/recommend", {"user_id": "ann"}).ids
    refused = problem(client.post("/recommend", {"context": {"place": {"city": {"name": "Oslo"}}}}), 400)
    assert "context" in refused["field"]
