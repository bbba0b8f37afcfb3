"""What lists are like, against the definitions written out item by item."""

import math

import numpy as np
import pytest

from foretaste.evaluation.beyond_accuracy import coverage, gini, intra_list_diversity, novelty, own_list_share

LISTS = np.array([[0, 1, 2], [2, 1, 0], [3, 1, -1], [-1, -1, -1]], np.int32)


def test_coverage_counts_each_listed_item_once():
    assert coverage(LISTS, 8) == 4 / 8
    assert coverage(LISTS, 0) == 0.0


def test_novelty_is_the_mean_surprise_in_bits():
    owners = np.array([16, 8, 1, 0])
    assert novelty(LISTS, owners, 16) == pytest.approx([(0 + 1 + 4) / 3, (0 + 1 + 4) / 3, (4 + 1) / 2, 0.0])


def test_diversity_is_the_mean_distance_of_all_pairs():
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(30, 4))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    vectors[0] = 0.0
    lists = np.stack([generator.permutation(30)[:7] for _ in range(20)]).astype(np.int32)
    lists[0, 4:] = -1
    expected = []
    for row in lists:
        listed = [item for item in row if item >= 0]
        distances = [1.0 - float(vectors[a] @ vectors[b]) for a in listed for b in listed if a != b]
        expected.append(sum(distances) / len(distances))
    np.testing.assert_allclose(intra_list_diversity(lists, vectors), expected, rtol=1e-5)


def test_a_list_of_one_item_has_no_diversity():
    assert intra_list_diversity(np.array([[1, -1]], np.int32), np.eye(3, dtype=np.float32)).tolist() == [0.0]


def test_a_list_in_another_order_is_not_a_list_of_ones_own():
    assert own_list_share(LISTS) == 2 / 4
    assert own_list_share(LISTS[:0]) == 0.0


@pytest.mark.parametrize("counts", [[1, 1, 1, 1], [0, 0, 0, 9], [5, 1, 0, 2], [3]])
def test_gini_is_half_the_relative_mean_difference(counts):
    lists = np.repeat(np.arange(len(counts)), counts).astype(np.int32)[:, np.newaxis]
    differences = [abs(a - b) for a in counts for b in counts]
    expected = sum(differences) / (2 * len(counts) * sum(counts))
    assert math.isclose(gini(lists, len(counts)), expected)


def test_gini_of_nothing_is_zero():
    assert gini(LISTS[3:], 5) == 0.0
