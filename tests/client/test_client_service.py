"""Both clients against a running service: what is asked, and what comes back."""

import pytest

from foretaste.client import Client, ClosedError, InvalidRequestError, NotFoundError


def test_a_list_comes_with_reasons_and_an_id(shop):
    answer = shop.recommend("u1", k=3, explain=True)
    assert [item.rank for item in answer.items] == [1, 2, 3]
    assert answer.recommendation_id
    assert all(item.reason and item.title for item in answer.items)
    assert any(item.explanation for item in answer.items)


def test_without_a_person_the_answer_is_what_is_trending(shop):
    assert shop.recommend(k=2).source == "trending"


def test_parameters_arrive(shop):
    answer = shop.recommend("u2", k=4, category="Kind 1", exclude_ids=["i1", "i5"], context={"device": "tv"})
    assert answer.items
    assert {item.categories[0] for item in answer.items} == {"Kind 1"}
    assert not {"i1", "i5"} & set(answer.ids)


def test_an_id_may_hold_a_comma(shop):
    shop.put_item("shirt,red", {"title": "Shirt"})
    everything = shop.recommend("nobody", k=50, context={"device": "tv"})
    others = shop.recommend("nobody", k=50, context={"device": "tv"}, exclude_ids=["shirt,red"])
    assert set(everything.ids) - set(others.ids) == {"shirt,red"}
    shop.delete_item("shirt,red")


def test_what_is_like_an_item_may_leave_out_ids_and_keep_categories_with_commas(shop):
    red, inches = "shirt,red", 'shirt, 12" \\ blue'
    for name in (red, inches):
        shop.put_item(name, {"title": "Shirt", "categories": ["Shirts, long", "Kind 1"]})
    assert set(shop.similar("i1", k=50, category="Shirts, long").ids) == {red, inches}
    assert shop.similar("i1", k=50, category=["Shirts, long"], exclude_ids=[red]).ids == [inches]
    assert not {red, inches, "i5"} & set(shop.similar("i1", k=50, exclude_ids=[red, inches, "i5"]).ids)
    for name in (red, inches):
        shop.delete_item(name)


@pytest.mark.parametrize("name", [".", "..", "...", "a/b", "50%", " "])
def test_any_text_may_be_an_id(shop, name):
    shop.record(user_id=name, item_id="i1", type="click")
    assert shop.recommend(name, k=1).user_id == name
    assert shop.profile(name).user_id == name


def test_a_scenario_may_start_from_items(shop):
    answer = shop.recommend("u1", scenario="cart", item_ids=["i1", "i5"], k=3)
    assert (answer.scenario, answer.instead_of) == ("cart", None)
    assert answer.title
    assert not {"i1", "i5"} & set(answer.ids)


def test_filters_and_boosts_are_asked_and_told(shop):
    asked = {
        "filter": ['"Kind 2" in category', 'not title in ("Film 6")'],
        "boost": '"Kind 2" in category : 2',
    }
    answer = shop.recommend("u1", k=5, **asked)
    assert answer.items
    assert {item.categories[0] for item in answer.items} == {"Kind 2"}
    assert answer.items[0].boosts[0].added > 0
    assert shop.similar("i1", filter='"Kind 3" in category').items[0].categories == ("Kind 3",)
    assert shop.personalize("u1", ["i2", "i3"], filter='"Kind 3" in category').ids == ["i3"]


def test_what_was_recorded_is_in_the_very_next_answer(shop):
    first = shop.recommend("u3", k=1).ids[0]
    receipt = shop.record(user_id="u3", item_id=first, type="watch")
    answer = shop.recommend("u3", k=20)
    assert receipt.accepted == 1
    assert answer.state_seq >= receipt.state_seq
    assert first not in answer.ids


def test_a_batch_has_a_status_for_each_event(shop):
    good = {"user_id": "u4", "item_id": "i1", "type": "click"}
    receipt = shop.record_many([good, {**good, "item_id": ""}, {**good, "event_id": "mine"}])
    assert [status.status for status in receipt.events][:2] == ["accepted", "rejected"]
    assert receipt.events[1].field == "item_id"
    assert receipt.events[2].event_id == "mine"


def test_an_event_sent_again_with_its_id_is_a_duplicate(shop):
    sent = {"user_id": "u5", "item_id": "i1", "type": "click", "event_id": f"once-{type(shop).__name__}"}
    assert shop.record(**sent).accepted == 1
    assert shop.record(**sent).duplicates == 1


def test_items_alike_and_profiles_are_known(shop):
    assert "i3" not in shop.similar("i3", k=5).ids
    profile = shop.profile("u6", recent_limit=2)
    assert profile.total_events == 8
    assert len(profile.recent_events) == 2


def test_candidates_come_back_in_order_known_or_new(shop):
    answer = shop.personalize("u1", ["i9", {"id": "fresh", "title": "Film of kind 2"}], max_results=2)
    assert sorted(answer.ids) == ["fresh", "i9"]


def test_ids_may_hold_anything(shop):
    name = "a/b c?ü%2F"
    assert shop.put_item(name, {"title": "Odd", "colour": "red"}).item_id == name
    assert shop.item(name).attributes == {"colour": "red"}
    assert shop.delete_item(name).changed
    with pytest.raises(NotFoundError):
        shop.item(name)


def test_many_items_are_put_at_once(shop):
    receipt = shop.put_items([{"item_id": "n1", "title": "New"}, {"title": "nameless"}])
    assert (receipt.stored, receipt.rejected) == (1, 1)
    assert receipt.items[1].field == "item_id"


def test_people_are_told_of_and_merged(shop):
    shop.put_person("u7", {"country": "se", "age": 30})
    assert shop.person("u7").attributes == {"country": "se", "age": 30.0}
    shop.record(user_id="anonymous", item_id="i2", type="click")
    assert shop.merge("anonymous", "u7").user_id == "u7"


def test_a_past_answer_is_found_by_its_id(shop):
    given = shop.recommend("u2", k=3)
    past = shop.recommendation(given.recommendation_id, reproduce=True)
    assert [item.item_id for item in past.items] == given.ids
    assert past.reproduced.identical


def test_a_dry_run_is_not_recorded(shop):
    given = shop.recommend("u2", k=3, dry_run=True)
    with pytest.raises(NotFoundError):
        shop.recommendation(given.recommendation_id)


def test_nothing_is_left_out_where_there_is_time(shop):
    assert shop.recommend("u1", k=3, timeout=60.0).left_out == ()


def test_the_stages_of_an_answer_are_told_if_asked(shop):
    answer = shop.recommend("u1", k=3, debug=True)
    assert [stage.stage for stage in answer.debug.stages][:1] == ["filters"]
    assert answer.debug.state_seq == answer.state_seq
    assert shop.recommend("u1", k=3).debug is None


def test_health_is_told(shop):
    assert shop.health().status == "ready"


def test_a_refusal_says_which_parameter_and_why(shop):
    with pytest.raises(InvalidRequestError, match="k must be") as refused:
        shop.recommend("u1", k=0)
    assert (refused.value.status, refused.value.kind, refused.value.field) == (400, "invalid-query", "k")


def test_a_client_that_was_closed_says_so(address):
    client = Client(address)
    client.close()
    with pytest.raises(ClosedError, match="make another one"):
        client.health()
