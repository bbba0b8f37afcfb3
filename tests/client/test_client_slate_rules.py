"""Rules, pages and boxes by both clients."""

import pytest

from foretaste.client import InvalidRequestError, Relaxed


def test_rules_are_asked_for_and_what_gave_way_is_told(shop):
    rules = {
        "quotas": [{"each": "category", "at_most": 1}, {"filter": '"Kind 9" in category', "at_least": 1}],
        "slots": [{"place": 1, "item_id": "i15"}],
    }
    answer = shop.recommend(
        "u1", k=3, rules=rules, exclude_ids=["i3"], filter='not title in ("Film 6")', context={"night": True}
    )
    assert answer.ids[0] == "i15"
    assert len({item.categories[0] for item in answer.items}) == 3
    assert not {"i3", "i6"} & set(answer.ids)
    assert answer.relaxed == (Relaxed(rule="quotas[1]", reason="0 items, fewer than 1"),)
    with pytest.raises(InvalidRequestError, match="rules"):
        shop.recommend("u1", rules={"quotas": [{}]})


def test_pages_are_asked_for_by_the_cursor_of_the_one_before(shop):
    first = shop.recommend("u2", k=4, cursor="")
    second = shop.recommend("u2", k=4, cursor=first.next_cursor)
    assert first.next_cursor
    assert len({*first.ids, *second.ids}) == 8
    with pytest.raises(InvalidRequestError, match="another question"):
        shop.recommend("u3", cursor=first.next_cursor)


def test_boxes_of_a_page_show_different_things(shop):
    page = f"page of {type(shop).__name__}"
    boxes = [
        shop.recommend("u1", k=3, page_id=page),
        shop.recommend(k=3, page_id=page, rules={"own_mix": 0.2}),
        shop.similar("i1", k=3, page_id=page),
    ]
    shown = [item for box in boxes for item in box.ids]
    assert len(set(shown)) == len(shown) == 9
