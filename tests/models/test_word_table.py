"""Texts counted in known terms are what their terms say, in any script, however many at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.domain.item import Item
from foretaste.models import word_table
from foretaste.models.terms import terms
from foretaste.models.vocabulary import vocabulary_of

ASCII = st.text(st.sampled_from("abAB1' -\n\x1f"), max_size=40)
ANY = st.text(st.sampled_from("abÜß'\u2019 \n犬猫タ\u0301\ud800") | st.characters(), max_size=30)
TEXTS = ASCII | ANY
ITEMS = st.lists(
    st.none()
    | st.builds(
        Item,
        item_id=st.just("x"),
        title=TEXTS,
        text=TEXTS,
        categories=st.lists(TEXTS, max_size=3).map(tuple),
        attributes=st.dictionaries(TEXTS, TEXTS | st.floats(allow_nan=False), max_size=2),
    ),
    max_size=6,
)


def row_by_row(vocabulary, item):
    """Return an item's row by the definition: (1 + log count) * idf of its known terms, at unit length."""
    known = {vocabulary.number[term]: n for term, n in terms(item).items() if term in vocabulary.number}
    term = np.array(sorted(known), np.int32)
    count = np.array([known[number] for number in term.tolist()], np.float32)
    weight = (np.float32(1.0) + np.log(count)) * vocabulary.idf[term]
    return term, weight / (np.linalg.norm(weight) or 1.0)


@given(learnt=ITEMS, read=ITEMS)
def test_rows_are_those_of_the_terms(learnt, read):
    vocabulary = vocabulary_of(learnt, 20)
    items = [*learnt, *read]
    rows = vocabulary.rows(items)
    for place, item in enumerate(items):
        term, weight = rows.row(place)
        expected = ([], []) if item is None else row_by_row(vocabulary, item)
        assert term.tolist() == list(expected[0])
        assert weight == pytest.approx(expected[1], rel=1e-5)


def test_rows_do_not_depend_on_what_is_read_beside_them(monkeypatch):
    items = [Item(item_id=str(n), title=f"word{n % 7} and Ünder{n % 3}", text="b c " * n) for n in range(9)]
    vocabulary = vocabulary_of(items, 50)
    together = vocabulary.rows(items)
    monkeypatch.setattr(word_table, "AT_ONCE", 2)
    for rows in (vocabulary.rows(items), vocabulary.rows([None, *items])):
        own = [rows.row(len(rows.start) - 1 - len(items) + place) for place in range(len(items))]
        assert [term.tobytes() for term, _ in own] == [
            together.row(n)[0].tobytes() for n in range(len(items))
        ]
        assert [weight.tobytes() for _, weight in own] == [
            together.row(n)[1].tobytes() for n in range(len(items))
        ]


def test_words_are_read_up_to_where_reading_ends():
    long = Item(item_id="x", text="a " * 20_000 + "tail", title="y" * 60)
    vocabulary = vocabulary_of([long, Item(item_id="z", text="tail " + "y" * 40)], 10)
    term, _ = vocabulary.rows([long]).row(0)
    assert {list(vocabulary.number)[number] for number in term.tolist()} == {"a", "y" * 40}
