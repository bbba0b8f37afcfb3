"""What lists are like, against the definitions written out item by item."""

import numpy as np
import pytest

from foretaste.evaluation.beyond_accuracy import (
    coverage,
    intra_list_diversity,
    novelty,
    own_list_share,
    serendipity,
)

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


def test_serendipity_is_what_is_wanted_and_not_on_the_plain_list():
    lists = np.array([[0, 1, 2], [5, 6, -1], [4, 3, 2]], np.int32)
    hits = np.array([[1, 1, 0], [1, 0, 1], [0, 0, 0]], bool)
    expected = np.array([[1, 9, 8], [-1, -1, -1], [4, 3, 2]], np.int32)
    by_definition = [
        len({item for item, hit in zip(row, hit_row, strict=True) if hit and item >= 0} - set(plain)) / 3
        for row, hit_row, plain in zip(lists.tolist(), hits, expected.tolist(), strict=True)
    ]
    assert serendipity(lists, hits, expected).tolist() == by_definition == [1 / 3, 1 / 3, 0.0]


def full_lists(seed):
    generator = np.random.default_rng(seed)
    return np.stack([generator.permutation(60)[:10] for _ in range(25)]).astype(np.int32)


def test_coverage_novelty_and_diversity_agree_with_an_independent_library():
    rexmex = pytest.importorskip("rexmex", reason="an independent implementation to compare with")
    lists, generator = full_lists(0), np.random.default_rng(1)
    owners, vectors = generator.integers(1, 200, 60), generator.normal(size=(60, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    listed = [(user, int(item)) for user, row in enumerate(lists[:4]) for item in row]
    theirs = rexmex.metrics.coverage.item_coverage((list(range(4)), list(range(60))), listed)
    assert coverage(lists[:4], 60) == pytest.approx(theirs, abs=5e-4)  # it rounds to three places
    theirs = rexmex.metrics.ranking.novelty(lists.tolist(), dict(enumerate(owners.tolist())), 200)
    assert novelty(lists, owners, 200).mean() == pytest.approx(theirs)
    theirs = 1.0 - rexmex.metrics.ranking.intra_list_similarity(lists, vectors)
    assert intra_list_diversity(lists, vectors).mean() == pytest.approx(theirs, rel=1e-5)


def test_a_list_of_one_and_the_same_has_no_diversity_and_not_less():
    vector = np.array([0.6, 0.3, 0.74], np.float32)
    for scale in np.linspace(0.5, 2.0, 50, dtype=np.float32):
        alike = np.stack([vector * scale] * 3)
        alike /= np.linalg.norm(alike, axis=1, keepdims=True)
        assert 0.0 <= intra_list_diversity(np.array([[0, 1, 2]], np.int32), alike)[0] < 1e-6
