"""Whom lists favour, against the formulas written out: no light library has them."""

import numpy as np
import pytest

from foretaste.evaluation.popularity_bias import (
    average_popularity,
    exposure_shares,
    gini,
    profile_popularity,
)
from foretaste.evaluation.profiles import Profiles

OWNERS = np.array([90, 40, 10, 1, 0])
LISTS = np.array([[0, 1, 2], [3, 4, -1], [-1, -1, -1]], np.int32)
PROFILES = Profiles(np.array([0, 2, 3, 3]), np.array([1, 2, 0], np.int32))


@pytest.mark.parametrize("counts", [[1, 1, 1, 1], [0, 0, 0, 9], [5, 1, 0, 2], [3]])
def test_gini_is_half_the_relative_mean_difference(counts):
    lists = np.repeat(np.arange(len(counts)), counts).astype(np.int32)[:, np.newaxis]
    differences = [abs(a - b) for a in counts for b in counts]
    assert gini(lists, len(counts)) == pytest.approx(sum(differences) / (2 * len(counts) * sum(counts)))


def test_gini_is_one_minus_twice_the_area_under_the_lorenz_curve():
    lists = np.random.default_rng(3).zipf(1.6, (200, 10)).clip(max=50).astype(np.int32) - 1
    shares = np.sort(np.bincount(lists.ravel(), minlength=60)) / lists.size
    area = np.trapezoid(np.concatenate(([0.0], np.cumsum(shares))), dx=1 / 60)
    assert gini(lists, 60) == pytest.approx(1.0 - 2.0 * area)


def test_gini_of_nothing_is_zero():
    assert gini(LISTS[2:], 5) == 0.0


def test_average_popularity_is_the_mean_share_of_people_who_had_the_listed_items():
    assert average_popularity(LISTS, OWNERS, 100) == pytest.approx([(0.9 + 0.4 + 0.1) / 3, 0.01 / 2, 0.0])


def test_profile_popularity_is_the_same_over_what_people_had():
    assert profile_popularity(PROFILES, OWNERS, 100) == pytest.approx([0.25, 0.9, 0.0])


def test_exposure_counts_places_as_dcg_does():
    group = np.array([0, 1, 0, 1, -1], np.int32)
    first, second, third = 1.0, 1 / np.log2(3), 0.5
    mine, others = first + third, second + first
    assert exposure_shares(LISTS, group, 3) == pytest.approx(
        [mine / (mine + others), others / (mine + others), 0.0]
    )


def test_exposure_without_groups_is_nothing():
    assert exposure_shares(LISTS, np.full(5, -1, np.int32), 2).tolist() == [0.0, 0.0]
