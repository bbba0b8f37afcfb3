"""Intervals hold the truth as often as they say, by person, and paired."""

import numpy as np
import pytest
from scipy import stats

from foretaste.evaluation.bootstrap import difference_interval, mean_interval, mean_intervals, ratio_interval


def test_for_one_value_per_person_it_is_the_percentile_bootstrap_of_scipy():
    values = np.random.default_rng(1).exponential(size=80)
    ours = mean_interval(values, np.arange(80), seed=0, draws=4000)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(2)
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=0.03)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says():
    held = 0
    for trial in range(200):
        generator = np.random.default_rng(trial)
        person = np.repeat(generator.normal(0.0, 1.0, 60), 5)
        interval = mean_interval(
            person + generator.normal(size=300), np.repeat(np.arange(60), 5), seed=trial, draws=400
        )
        held += interval.low <= 0.0 <= interval.high
    assert 0.89 <= held / 200 <= 0.99


def test_events_of_one_person_are_not_taken_for_independent():
    values = np.repeat(np.random.default_rng(0).random(20), 50)
    by_person = mean_interval(values, np.repeat(np.arange(20), 50), seed=0)
    by_event = mean_interval(values, np.arange(1000), seed=0)
    assert by_person.high - by_person.low > 3 * (by_event.high - by_event.low)


def test_a_paired_difference_is_sharper_than_two_intervals():
    generator = np.random.default_rng(0)
    theirs = generator.random(200)
    ours = theirs + 0.01 + generator.normal(0.0, 0.005, 200)
    difference = difference_interval(ours, theirs, np.arange(200), seed=0)
    assert difference.low > 0.0
    assert mean_interval(ours, np.arange(200), seed=0).low < theirs.mean()


def test_a_ratio_of_proportional_values_is_certain():
    theirs = np.random.default_rng(0).random(50)
    ratio = ratio_interval(3.0 * theirs, theirs, np.arange(50), seed=0)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((3.0, 3.0, 3.0))


def test_better_than_nothing_is_infinitely_better():
    assert ratio_interval(np.ones(5), np.zeros(5), np.arange(5), seed=0).value == float("inf")
    assert ratio_interval(np.zeros(5), np.zeros(5), np.arange(5), seed=0).value == 1.0


def test_without_people_an_interval_is_its_value():
    nothing, nobody = np.empty(0), np.empty(0, np.int32)
    mean, ratio = mean_interval(nothing, nobody, seed=0), ratio_interval(nothing, nothing, nobody, seed=0)
    assert (mean.value, mean.low, mean.high) == (0.0, 0.0, 0.0)
    assert (ratio.value, ratio.low, ratio.high) == (1.0, 1.0, 1.0)


def test_the_seed_decides_the_interval():
    values = np.random.default_rng(0).random(30)
    first, again, other = (mean_interval(values, np.arange(30), seed=seed, draws=100) for seed in (1, 1, 2))
    assert first == again != other


def test_no_values_have_no_mean_and_no_error():
    empty = mean_interval(np.empty(0), np.empty(0, np.int32), seed=0, draws=10)
    assert (empty.value, empty.low, empty.high) == (0.0, 0.0, 0.0)


def test_many_means_have_the_intervals_of_each_alone():
    generator = np.random.default_rng(4)
    values, users = generator.random((3, 90)), generator.integers(0, 30, 90)
    together = mean_intervals(values, users, seed=5, draws=300)
    alone = [mean_interval(row, users, seed=5, draws=300) for row in values]
    for one, other in zip(together, alone, strict=True):
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
    assert mean_intervals(np.zeros((0, 4)), np.zeros(4, np.int32), seed=0) == []
