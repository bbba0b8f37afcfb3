"""Names of event types, ours and those of other systems, and what events weigh."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.domain.errors import InvalidInputError
from foretaste.events.vocabulary import ALIASES, CONSUMING_TYPES, KNOWN_TYPES, canonical_type
from foretaste.events.weights import USUAL_WEIGHTS, event_weights, weigh

NAMES = [*KNOWN_TYPES, "something_else"]


def weight_of(name, value=math.nan, weights=None):
    types = np.array([NAMES.index(name)], np.int16)
    return float(weigh(NAMES, types, np.array([value], np.float32), weights or event_weights())[0])


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Product Viewed", "view"),
        ("Product Added", "add_to_cart"),
        ("Order Completed", "purchase"),
        ("view_item", "view"),
        ("select_item", "click"),
        ("detail-page-view", "view"),
        ("purchase-complete", "purchase"),
        ("add-to-cart", "add_to_cart"),
        ("conversion", "purchase"),
        ("read", "view"),
        ("star", "like"),
        ("downvote", "dislike"),
        ("Bookmark", "add_to_wishlist"),
        ("CLICK", "click"),
        ("  purchase ", "purchase"),
    ],
)
def test_names_of_other_systems_are_understood(theirs, ours):
    assert canonical_type(theirs) == ours


def test_aliases_lead_to_known_types_and_hide_none():
    assert set(ALIASES.values()) <= set(KNOWN_TYPES)
    assert not set(ALIASES) & set(KNOWN_TYPES)


@given(st.text(max_size=20))
def test_a_name_stays_what_it_became(name):
    assert canonical_type(canonical_type(name)) == canonical_type(name)


def test_every_known_type_has_a_weight_and_consuming_types_are_known():
    assert set(USUAL_WEIGHTS) == set(KNOWN_TYPES)
    assert set(KNOWN_TYPES) >= CONSUMING_TYPES


def test_a_purchase_says_more_than_a_cart_a_click_and_a_view():
    weights = [weight_of(name) for name in ("impression", "view", "click", "add_to_cart", "purchase")]
    assert weights == sorted(weights)
    assert weights[0] == 0.0
    assert weight_of("dislike") < weight_of("dismiss") < 0.0


def test_unknown_types_weigh_nothing():
    assert weight_of("something_else") == 0.0


@given(st.floats(-10, 10, width=32), st.floats(-10, 10, width=32))
def test_a_rating_weighs_the_more_the_higher_it_is_and_always_something(one, other):
    low, high = sorted((one, other))
    assert 0.0 < weight_of("rating", low) <= weight_of("rating", high)


def test_a_rating_without_a_value_weighs_as_much_as_one_in_the_middle():
    assert weight_of("rating") == weight_of("rating", 2.5) == 1.0
    assert weight_of("rating", 5.0) > 4.0 * weight_of("rating", 1.0)


def test_values_of_other_types_do_not_matter():
    assert weight_of("purchase", 100.0) == weight_of("purchase")


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.floats(0, 5, width=32) | st.just(math.nan)), max_size=30)
)
def test_many_events_weigh_what_each_weighs_alone(events):
    types = np.array([NAMES.index(name) for name, _ in events], np.int16)
    values = np.array([value for _, value in events], np.float32)
    together = weigh(NAMES, types, values, event_weights())
    assert together.dtype == np.float32
    assert together.tolist() == [weight_of(name, value) for name, value in events]


def test_weights_can_be_replaced_under_any_name():
    weights = event_weights({"Product Viewed": 7, "zoomed": 1.5})
    assert weights.by_type["view"] == 7.0
    assert weights.by_type["zoomed"] == 1.5
    assert weights.by_type["click"] == USUAL_WEIGHTS["click"]


@pytest.mark.parametrize("weight", [math.nan, math.inf])
def test_a_weight_must_be_finite(weight):
    with pytest.raises(InvalidInputError, match="finite") as error:
        event_weights({"view": weight})
    assert error.value.field == "weights"
