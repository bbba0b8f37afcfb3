"""What items have in common is told by their categories, attributes and words."""

import math

import msgspec
import numpy as np
import pytest
from slate_world import requests_of

from foretaste.domain.item import Item
from foretaste.ranking.learning_to_rank import RankerOptions, learn_ranker
from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.slate_features import Columns
from foretaste.ranking.taste import Chosen, taste_of
from foretaste.ranking.traits import said, traits_of


def made(maker):
    """Return items of twelve makers, four of each."""
    return [
        Item(item_id=f"i{number}", attributes={"maker": maker(number % 12), "price": 0.5 + number})
        for number in range(48)
    ]


@pytest.mark.parametrize("maker", [lambda number: f"m{number}", lambda number: float(9_000 - 37 * number)])
def test_who_takes_things_of_one_maker_likes_the_others_of_theirs(maker):
    traits = traits_of(made(maker))
    candidates, past = np.arange(12, 24), np.array([5, 6, 7])
    surprise = np.array([-0.1, 0.9, -0.1])
    every = traits.rows
    found = taste_of(
        Chosen(every, candidates), Chosen(every, past), surprise, len(traits.vocabulary.idf), 1.0
    )
    assert int(candidates[np.argmax(found.ridge)]) == 18
    assert int(candidates[np.argmin(found.ridge)]) in {17, 19}


def test_only_whole_numbers_are_codes():
    told = said(Item(item_id="i", attributes={"seller": 12.0, "new": True, "price": 9.5, "odd": math.inf}))
    assert sorted(trait.strip("\x1d") for trait in told) == ["new=1", "seller=12"]


def test_a_code_says_less_than_a_name():
    code, name = said(Item(item_id="i", attributes={"seller": 12.0, "maker": "ash"})).values()
    assert 0.0 < code < name


def test_without_codes_rows_are_those_of_items_without_such_numbers():
    items = [
        Item(item_id=f"i{number}", title=f"thing {number % 5}", attributes={"maker": float(number % 7)})
        for number in range(40)
    ]
    bare, mixed = (
        traits_of([msgspec.structs.replace(item, attributes={}) for item in items]),
        traits_of(items),
    )
    rows = mixed.without_codes().rows
    assert mixed.without_codes().vocabulary.number == bare.vocabulary.number
    assert rows.start.tolist() == bare.rows.start.tolist()
    assert rows.term.tolist() == bare.rows.term.tolist()
    assert rows.weight == pytest.approx(bare.rows.weight, abs=1e-6)
    assert bare.without_codes() is bare


def shown_and_clicked(maker):
    """Return slates of people who each like the things of a few of forty makers, and the traits of these."""
    generator = np.random.default_rng(2)
    own, likes = generator.integers(0, 40, 600), generator.random((120, 40)) < 0.15
    shown = [generator.permutation(600)[:12] for _ in range(600)]
    people = np.arange(600) % 120
    clicked = [
        generator.random(12) < np.where(likes[user, own[items]], 0.6, 0.05)
        for user, items in zip(people, shown, strict=True)
    ]
    items = [
        Item(item_id=f"i{number}", attributes={"maker": maker(number, int(own[number]))})
        for number in range(600)
    ]
    return ShownSlates.of(people, np.arange(600) * 60_000_000, shown, clicked), traits_of(items)


@pytest.mark.parametrize(
    ("maker", "told"),
    [
        (lambda _number, maker: float(9_000 - 37 * maker), True),
        (lambda number, _maker: float(number * 7 % 40), False),
    ],
    ids=["codes", "counts"],
)
def test_whole_numbers_are_codes_where_people_click_by_them(maker, told):
    slates, traits = shown_and_clicked(maker)
    options = RankerOptions(rounds=30, folds=3)
    columns = Columns(numbers=traits.number_names)
    ranker = learn_ranker(slates, requests_of(slates), traits, columns, options=options)
    assert (ranker.knowledge.n_traits > 0) == told
    assert (ranker.report.ranker > ranker.report.click_rate + 0.05) == told
