"""Rules, pages and boxes through the Python face, and what becomes of them in past answers."""

import pytest

import foretaste as ft
from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory
from foretaste.domain.errors import InvalidQueryError
from foretaste.domain.slate_rules import Quota, SlateRules

NOW = 1_712_000_000_000_000
MINUTE = 60_000_000
KINDS = ("light", "water", "home")


@pytest.fixture
def rec():
    with ft.Recommender(home_in_memory(Settings(exposure_days=100_000.0))) as opened:
        opened.put_items(
            {
                "item_id": f"i{number}",
                "categories": [KINDS[number % 3]],
                "maker": "acme" if number < 4 else "zeta",
            }
            for number in range(12)
        )
        opened.record_many(
            happened(f"p{user}", f"i{item}") for user in range(4) for item in range(user, 12, 2)
        )
        yield opened


def happened(user, item, kind="click", minutes_ago=60):
    moment = (NOW - minutes_ago * MINUTE) // 1_000_000
    return {"user_id": user, "item_id": item, "type": kind, "timestamp": moment}


def ids(slate):
    return [item.item_id for item in slate]


def test_rules_are_a_mapping_or_made_of_their_types(rec):
    written = {"quotas": [{"filter": 'maker == "acme"', "at_most": 1}]}
    made = SlateRules(quotas=(Quota(filter='maker == "acme"', at_most=1),))
    slates = [rec.recommend("p1", k=6, rules=rules, now=NOW, seed=1) for rules in (written, made)]
    assert ids(slates[0]) == ids(slates[1])
    assert sum(item.metadata["maker"] == "acme" for item in slates[0]) == 1


def test_rules_that_cannot_be_read_are_named(rec):
    with pytest.raises(InvalidQueryError) as refused:
        rec.recommend("p1", rules={"slots": [{"place": 2, "item_id": "i1", "filter": "maker"}]})
    assert refused.value.field == "rules.slots[0]"
    with pytest.raises(InvalidQueryError, match="no item has an attribute 'makr'; did you mean 'maker'"):
        rec.recommend("p1", rules={"quotas": [{"each": "makr", "at_most": 1}]})


def test_answers_under_rules_are_given_again_bit_for_bit(rec):
    rec.add_users({"p1": {"maker": "zeta"}})
    rules = {
        "quotas": [{"each": "category", "at_most": 2}, {"filter": "maker == user.maker", "at_least": 3}],
        "slots": [{"place": 2, "item_id": "i7"}],
        "forbidden": ["i8"],
        "rest": {"impressions": 1, "seconds": 1e8},
        "own_mix": 0.5,
        "serendipity_weight": 0.3,
    }
    rec.record(**happened("p1", "i5", "impression", 1))
    slate = rec.recommend("p1", k=5, rules=rules, now=NOW)
    rec.record(**happened("p1", slate[0].item_id, "purchase", 0))
    rec.add_users({"p1": {"maker": "acme"}})
    assert rec.reproduce(slate.recommendation_id).identical
    assert ids(slate)[1] == "i7"
    assert "i8" not in ids(slate)


def test_what_was_shown_in_vain_rests_and_comes_back(rec):
    rules = {"rest": {"impressions": 2, "seconds": 3600.0}}
    first = ids(rec.recommend("new", k=3, rules=rules, now=NOW))[0]
    for minutes_ago in (5, 4):
        rec.record(**happened("new", first, "impression", minutes_ago))
    assert first not in ids(rec.recommend("new", k=3, rules=rules, now=NOW))
    assert first in ids(rec.recommend("new", k=3, now=NOW))
    assert first in ids(rec.recommend("new", k=3, rules=rules, now=NOW + 57 * MINUTE))


def test_pages_hold_everything_once_and_are_given_again(rec):
    shown, cursor = [], ""
    while cursor is not None:
        slate = rec.recommend("p2", k=5, cursor=cursor, now=NOW)
        assert rec.reproduce(slate.recommendation_id).identical
        rec.record(**happened("p2", slate[0].item_id, "click", 0))
        shown += ids(slate)
        cursor = slate.next_cursor
    assert sorted(shown) == sorted(f"i{number}" for number in range(12))


def test_a_model_that_changes_between_pages_repeats_nothing(rec):
    first = rec.recommend("p1", k=4, cursor="", now=NOW)
    popular = rec.recommend("p1", k=8, model="popularity", now=NOW)
    rec.delete_items([ids(popular)[0]])
    second = rec.recommend("p1", k=4, cursor=first.next_cursor, now=NOW)
    assert not set(ids(first)) & set(ids(second))
    assert len(second) == 4


def test_boxes_of_a_page_show_different_things(rec):
    boxes = [rec.recommend(user, k=4, page_id="page", now=NOW) for user in ("p1", None, "p2")]
    shown = [item for box in boxes for item in ids(box)]
    assert len(set(shown)) == len(shown) == 12
    assert all(rec.reproduce(box.recommendation_id).identical for box in boxes)
    assert ids(rec.recommend("p1", k=4, page_id="page", now=NOW)) == []


def test_rules_of_a_scenario_hold_for_who_asks_by_it(rec):
    home = rec.home.answerer.ready("home").scenario
    one = type(home)(name="one-each", rules=SlateRules(quotas=(Quota(each="category", at_most=1),)))
    rec.home.answerer.serve({**rec.home.scenarios, "one-each": one})
    slate = rec.recommend("p1", k=3, scenario="one-each", now=NOW)
    assert sorted(item.categories[0] for item in slate) == sorted(KINDS)
