"""Filters and boosts through the Python face, and what becomes of them in past answers."""

import pytest

import foretaste as ft
from foretaste.app.settings import Settings
from foretaste.domain.errors import InvalidQueryError

NOW = 1_712_000_000_000_000
DAY = 86_400_000_000
ITEMS = [
    {
        "item_id": f"i{number}",
        "title": f"Thing {number}",
        "categories": ["light" if number % 2 else "water"],
        "price": 5.0 * number,
        "maker": "acme" if number % 3 else "zeta",
    }
    for number in range(12)
]


@pytest.fixture
def rec(tmp_path):
    home = tmp_path / "home"
    with ft.Recommender.open(home_of(home), settings=Settings(exposure_days=100_000.0)) as opened:
        opened.put_items(ITEMS)
        opened.record_many(
            {
                "user_id": f"p{user}",
                "item_id": f"i{item}",
                "type": "click",
                "timestamp": (NOW - DAY) // 1_000_000,
            }
            for user in range(4)
            for item in range(user, 12, 2)
        )
        opened.add_users({"p1": {"age": 30, "maker": "acme"}})
        yield opened


def home_of(folder):
    ft.Recommender.train(
        ft.datasets.synthetic(n_users=10, n_items=5, n_events=100, seed=1).events,
        items=[],
        home=folder,
        settings=Settings(sources=("popularity",)),
    ).close()
    return folder


def ids(slate):
    return {item.item_id for item in slate}


def test_filters_and_boosts_are_taken_as_one_text_or_several(rec):
    one = rec.recommend("p1", k=20, filter="price < 20", now=NOW)
    assert ids(one) == {"i0", "i1", "i2", "i3"}
    two = rec.recommend("p1", k=20, filter=["price < 20", "maker == user.maker"], boost=["price"], now=NOW)
    assert ids(two) == {"i1", "i2"}
    assert [part.boost for part in two[0].boosts] == ["price"]


def test_an_attribute_that_no_item_has_is_an_error_that_points_at_it(rec):
    with pytest.raises(InvalidQueryError, match="did you mean price") as raised:
        rec.recommend("p1", filter="prize < 20")
    assert raised.value.field == "filter"
    assert raised.value.message.startswith("filter: ")


def test_a_new_attribute_can_be_asked_about_at_once(rec):
    with pytest.raises(InvalidQueryError, match="colour"):
        rec.recommend("p1", filter='colour == "red"')
    rec.put_items([{**ITEMS[0], "colour": "red"}])
    assert ids(rec.recommend("p1", k=20, filter='colour == "red"')) == {"i0"}


def test_similar_items_and_candidates_of_ones_own_are_filtered_and_boosted(rec):
    assert ids(rec.similar("i1", k=20, filter='"light" in category')) <= {f"i{n}" for n in range(3, 12, 2)}
    given = ["i1", "i2", {"item_id": "new", "price": 1.0, "maker": "nobody"}]
    slate = rec.personalize("p1", given, filter="price < 10", boost='maker == "nobody" : 1000')
    assert [item.item_id for item in slate] == ["new", "i1"]
    assert slate.filtered == 1


def test_what_a_person_did_counts_from_the_next_answer_on(rec):
    asked = {"k": 20, "filter": 'not did("bookmark") within 30d'}
    assert "i4" in ids(rec.recommend("p1", **asked))
    rec.record(user_id="p1", item_id="i4", type="bookmark")
    assert "i4" not in ids(rec.recommend("p1", **asked))


def test_a_past_answer_is_given_again_with_its_filters_boosts_and_what_was_told_then(rec):
    slate = rec.recommend(
        "p1",
        k=5,
        filter='user.age < 40 and not did("click") within 30d',
        boost="maker == user.maker : 3",
        now=NOW,
    )
    assert slate.items
    rec.add_users({"p1": {"age": 50, "maker": "zeta"}})
    rec.record(user_id="p1", item_id=slate[0].item_id, type="click", timestamp=NOW // 1_000_000)
    rec.put_items([{**ITEMS[2], "maker": "zeta"}])
    again = rec.reproduce(slate.recommendation_id)
    assert again.identical
    assert [item.boosts for item in again.slate.items] == [item.boosts for item in slate]
    assert not rec.recommend("p1", k=5, filter="user.age < 40").items


def test_the_past_is_asked_with_filters_too(rec):
    then = rec.as_of(2 * NOW).recommend("p1", k=20, filter="price >= 50", boost="price")
    assert ids(then) <= {"i10", "i11"}


def test_settings_limit_expressions():
    settings = Settings(expression_length=20, expression_count=1)
    with ft.Recommender.train(
        ft.datasets.synthetic(n_users=10, n_items=5, n_events=100, seed=1).events,
        items=ITEMS[:3],
        settings=settings,
    ) as rec:
        with pytest.raises(InvalidQueryError, match="at most 20 are allowed"):
            rec.recommend("p1", filter="price < 20 and price > 10")
        with pytest.raises(InvalidQueryError, match="1 are allowed together"):
            rec.recommend("p1", filter="price < 20", boost="price")


@pytest.mark.parametrize("wrong", [5, [5], [None]])
def test_what_is_no_text_is_refused(rec, wrong):
    with pytest.raises((InvalidQueryError, TypeError)):
        rec.recommend("p1", filter=wrong)
