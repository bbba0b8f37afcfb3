"""The laws of the language, on random catalogs, requests and trees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.features.expressions.asked import Asked
from foretaste.features.expressions.checking import Known
from foretaste.features.expressions.columns import Columns
from foretaste.features.expressions.compiled import (
    MOST_BOOST,
    checked_boost,
    checked_filter,
    compiled_boost,
    compiled_filter,
)
from foretaste.features.expressions.errors import ExpressionError
from foretaste.features.expressions.evaluation import Evaluation
from foretaste.features.expressions.limits import Limits
from foretaste.features.expressions.parsing import parse
from foretaste.features.expressions.printing import written
from foretaste.features.expressions.tree import Every, Not, Some
from foretaste.testing.expression_oracle import number_of, truth_of
from foretaste.testing.expression_worlds import TYPES, trees, worlds

WIDE = Limits(length=100_000, depth=48, nodes=10_000, cost=100_000)
PIECES = (
    "price",
    "<",
    "20",
    "and",
    "not",
    "(",
    ")",
    '"a"',
    "in",
    "purchased",
    "within",
    "30d",
    ":",
    "user.",
    "é",
    "\\",
    "\0",
)


def where(node, world, rows=None):
    return Evaluation(world.columns(rows), world.asked, {}).condition(node).tolist()


@given(trees)
def test_what_is_written_reads_as_the_same_tree(tree):
    assert parse(written(tree), WIDE) == tree


@given(trees, worlds())
@settings(max_examples=150)
def test_evaluation_says_what_the_interpreter_says_item_by_item(tree, world):
    expected = [truth_of(tree, world.row(ordinal)) is True for ordinal in range(world.n_items)]
    assert where(tree, world) == expected


@given(trees, worlds())
@settings(max_examples=100)
def test_numbers_are_those_of_the_interpreter(tree, world):
    expected = [number_of(tree, world.row(ordinal)) for ordinal in range(world.n_items)]
    found = Evaluation(world.columns(), world.asked, {}).number(tree)
    np.testing.assert_allclose(np.broadcast_to(found, world.n_items), expected, rtol=1e-12)


@given(trees, worlds())
@settings(max_examples=100)
def test_what_is_kept_of_a_catalog_changes_nothing(tree, world):
    expected = where(tree, world)
    ready = compiled_filter(written(tree), WIDE)
    for _ in range(2):
        assert ready.where(world.columns(), world.asked).tolist() == expected


@given(trees, worlds(), st.lists(st.integers(0, 9), max_size=6))
@settings(max_examples=50)
def test_some_rows_are_answered_as_they_are_among_all(tree, world, rows):
    assert where(tree, world, rows) == [truth_of(tree, world.row(row)) is True for row in rows]


@given(trees, trees, worlds())
@settings(max_examples=50)
def test_de_morgan(one, other, world):
    assert where(Not(Every((one, other))), world) == where(Some((Not(one), Not(other))), world)
    assert where(Not(Some((one, other))), world) == where(Every((Not(one), Not(other))), world)


@given(trees, worlds())
@settings(max_examples=50)
def test_nothing_is_both_true_and_false_and_twice_not_is_nothing(tree, world):
    yes, no = where(tree, world), where(Not(tree), world)
    assert not any(a and b for a, b in zip(yes, no, strict=True))
    assert where(Not(Not(tree)), world) == yes


def asked(checked, text, world):
    """Return what a text answers for `world`, or the error that says why it answers nothing."""
    try:
        ready = checked(text, Known(world.catalog.schema, ("age",), TYPES), WIDE)
    except ExpressionError as error:
        return error
    return (ready.where if checked is checked_filter else ready.added)(world.columns(), world.asked)


def assert_answers_or_points(found, text, world):
    if isinstance(found, ExpressionError):
        assert 0 <= found.at <= len(text)
        assert "^" in found.message
    else:
        assert len(found) == world.n_items


@given(st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join), worlds())
@settings(max_examples=150)
def test_any_text_is_an_expression_or_an_error_that_points_into_it(text, world):
    for checked in (checked_filter, checked_boost):
        assert_answers_or_points(asked(checked, text, world), text, world)


@pytest.mark.parametrize(
    "text",
    ["-" * 3000, "(" * 3000, "not " * 900, "1 +" * 999 + "1", "if " * 999, "((((" * 9, '"\ud800" == title'],
)
def test_hostile_texts_are_refused(text):
    with pytest.raises(ExpressionError):
        compiled_filter(text)


@given(trees, worlds())
@settings(max_examples=150)
def test_a_tree_is_accepted_or_refused_in_the_languages_own_words(tree, world):
    text = written(tree)
    for checked in (checked_filter, checked_boost):
        assert_answers_or_points(asked(checked, text, world), text, world)


@given(trees, worlds())
@settings(max_examples=50)
def test_a_boost_is_finite_and_bounded_whatever_it_says(tree, world):
    added = compiled_boost(written(tree), WIDE).added(world.columns(), world.asked)
    assert np.isfinite(added).all()
    assert (np.abs(added) <= MOST_BOOST).all()


@pytest.mark.parametrize(
    "text", ["price < 20", "price < 20 and brand == 'acme'", "not (price < 5 or on_sale)"]
)
def test_what_speaks_of_items_alone_is_computed_once_for_a_version_of_the_catalog(shop, text):
    ready = compiled_filter(text)
    first, second = (ready.where(Columns(shop, 4), Asked(now=now)) for now in (1, 2))
    assert first is second
    assert not first.flags.writeable
    changed = shop.apply([], n_items=5)
    assert ready.where(Columns(changed, 5), Asked(now=1)) is not first
