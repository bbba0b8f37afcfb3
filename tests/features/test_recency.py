import numpy as np
import pytest

from foretaste.domain.errors import InvalidInputError
from foretaste.domain.history import History
from foretaste.features.recency import Recency

SECOND = 1_000_000


def decay(seconds, now=100, **settings):
    return Recency(**settings).decay(np.array(seconds, np.int64) * SECOND, now * SECOND)


def test_without_a_decay_all_events_are_equal():
    assert decay([1, 2, 3]).tolist() == [1.0, 1.0, 1.0]


def test_an_event_halves_with_the_number_of_later_ones():
    assert decay([1, 2, 3], half_life_events=1.0).tolist() == [0.25, 0.5, 1.0]


def test_an_event_halves_with_its_age():
    assert decay([80, 90, 100], half_life_seconds=10.0).tolist() == [0.25, 0.5, 1.0]


def test_what_is_later_than_now_counts_as_now():
    assert decay([150], half_life_seconds=10.0).tolist() == [1.0]


def test_a_power_forgets_old_events_more_slowly():
    assert decay([1, 2, 3, 4], power=1.0) == pytest.approx([1 / 4, 1 / 3, 1 / 2, 1.0])


def test_rank_and_age_multiply():
    assert decay([90, 100], half_life_events=1.0, half_life_seconds=10.0).tolist() == [0.25, 1.0]


def test_weights_are_those_of_the_events_times_their_decay():
    history = History(
        item=np.array([1, 2], np.int32),
        weight=np.array([2.0, -1.0], np.float32),
        time=np.array([0, 0]),
        type=np.zeros(2, np.int16),
    )
    weights = Recency(half_life_events=1.0).weights(history, 0)
    assert weights.dtype == np.float32
    assert weights.tolist() == [1.0, -1.0]


def test_an_empty_history_has_no_weights():
    assert len(decay([], half_life_events=2.0)) == 0


@pytest.mark.parametrize("setting", [{"half_life_events": 0.0}, {"half_life_seconds": -1.0}, {"power": -1.0}])
def test_a_setting_out_of_range_is_named(setting):
    with pytest.raises(InvalidInputError) as caught:
        Recency(**setting)
    assert caught.value.field in setting
