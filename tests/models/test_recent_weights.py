"""What a history's events weigh."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.domain.history import History
from foretaste.features.recency import Recency
from foretaste.models.recency import FORGOTTEN, recent_weights, spoken


def history(weights):
    n = len(weights)
    return History(
        item=np.arange(n, dtype=np.int32),
        weight=np.array(weights, np.float32),
        time=np.arange(n) * 1_000_000,
        type=np.zeros(n, np.int16),
    )


@given(
    weights=st.lists(st.floats(-3.0, 3.0, width=32), max_size=40),
    events=st.sampled_from([None, 1.0, 3.0, 50.0]),
    seconds=st.sampled_from([None, 2.0, 1000.0]),
    power=st.sampled_from([0.0, 0.5]),
)
def test_weights_are_those_of_the_recency_but_for_the_forgotten(weights, events, seconds, power):
    recency = Recency(half_life_events=events, half_life_seconds=seconds, power=power)
    past = history(weights)
    now = len(weights) * 1_000_000
    expected = recency.weights(past, now)
    expected[np.abs(expected) < FORGOTTEN * np.abs(expected).max(initial=0.0)] = 0.0
    assert recent_weights(past, recency, now) == pytest.approx(expected, rel=1e-6)


def test_what_was_halved_more_than_four_times_is_forgotten():
    weights = recent_weights(history([1.0] * 40), Recency(half_life_events=1.0), 0)
    assert np.count_nonzero(weights) == 5
    assert weights[-1] == 1.0


@given(
    weights=st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), max_size=30),
    n_items=st.integers(0, 40),
    most=st.integers(1, 40),
)
def test_the_latest_that_are_known_and_not_forgotten_speak(weights, n_items, most):
    past, recency = history(weights), Recency(half_life_events=3.0)
    usual = recent_weights(past, recency, 0)
    speaking = (usual != 0.0) & (past.item < n_items) & (np.arange(len(weights)) >= len(weights) - most)
    place, item, weight = spoken(past, recency, 0, n_items=n_items, most=most)
    assert place.tolist() == np.flatnonzero(speaking).tolist()
    assert item.tolist() == past.item[speaking].tolist()
    assert weight.tolist() == usual[speaking].tolist()
