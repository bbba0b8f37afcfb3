"""A match of 80 % happens in 80 of 100 cases."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.ranking.calibration import Calibration


def some_pairs(n: int, seed: int = 0):
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=n).astype(np.float32)
    chance = 1.0 / (1.0 + np.exp(3.0 - 2.0 * scores))
    return scores, generator.random(n) < chance, chance


def test_chances_come_out_as_they_are():
    calibration = Calibration.fit(*some_pairs(100_000)[:2])
    scores, labels, chance = some_pairs(50_000, seed=1)
    assert np.abs(calibration.match(scores) - chance).mean() < 0.01
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1.0)):
        among = (calibration.match(scores) >= low) & (calibration.match(scores) < high)
        assert labels[among].mean() == pytest.approx(calibration.match(scores[among]).mean(), abs=0.03)


def test_the_error_is_measured_on_pairs_that_were_not_fitted():
    scores, labels, _ = some_pairs(40_000)
    report = Calibration.fit(scores, labels).report
    assert report["expected_calibration_error"] < 0.01
    assert report["base_rate"] == pytest.approx(labels.mean())
    flipped = np.where(np.arange(40_000) // 4_000 % 2 == 0, labels, ~labels)
    assert Calibration.fit(scores, flipped).report["expected_calibration_error"] > 0.5


@given(st.integers(0, 400), st.integers(0, 50), st.sampled_from([0.0, 0.5, 1.0]))
def test_a_higher_score_never_has_a_lower_chance(n, seed, share):
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=n).round(1).astype(np.float32)
    calibration = Calibration.fit(scores, generator.random(n) < share)
    match = calibration.match(np.linspace(-5.0, 5.0, 101))
    assert (np.diff(match) >= 0.0).all()
    assert ((match >= 0.0) & (match <= 1.0)).all()


def test_without_pairs_nothing_is_promised():
    assert Calibration.fit(np.empty(0, np.float32), np.empty(0, np.bool_)).match(np.ones(2)).tolist() == [
        0.0,
        0.0,
    ]
    assert Calibration.flat(0.2).match(np.array([-9.0, 9.0])).tolist() == [0.2, 0.2]


def test_a_curve_survives_json_exactly():
    calibration = Calibration.fit(*some_pairs(5_000)[:2])
    again = Calibration.from_description(msgspec.json.decode(msgspec.json.encode(calibration.describe())))
    assert again.score.tobytes() == calibration.score.tobytes()
    assert again.chance.tobytes() == calibration.chance.tobytes()
    assert again.report == calibration.report


@given(
    knots=st.lists(st.floats(-50, 50), min_size=1, max_size=9, unique=True).map(sorted),
    scores=st.lists(st.floats(-60, 60, width=32), max_size=20),
)
@settings(deadline=None)
def test_between_knots_the_chance_is_on_a_straight_line_and_level_beyond(knots, scores):
    curve = Calibration(np.array(knots), np.linspace(0.0, 1.0, len(knots)))
    asked = np.array([*scores, *knots], np.float32)
    assert curve.match(asked) == pytest.approx(np.interp(asked, curve.score, curve.chance))
