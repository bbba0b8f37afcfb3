"""Calibration agrees with scipy's relative entropy of the two mixes of categories."""

import numpy as np
import pytest
from scipy import stats

from foretaste.domain.item import Item
from foretaste.evaluation.category_calibration import SMOOTHING, category_divergence
from foretaste.evaluation.profiles import Profiles
from foretaste.features.catalog_columns import CatalogColumns

KINDS = [("a",), ("b",), ("a", "b"), ("c",), ()]
TABLE = CatalogColumns.of([Item(item_id=str(i), categories=kind) for i, kind in enumerate(KINDS)]).categories


def profiles_of(*rows):
    return Profiles(np.cumsum([0, *map(len, rows)]), np.concatenate([[], *rows]).astype(np.int32))


def mix(items):
    shares = {"a": 0.0, "b": 0.0, "c": 0.0}
    for item in items:
        for kind in KINDS[item] if item < len(KINDS) else ():
            shares[kind] += 1 / len(KINDS[item])
    return np.array(list(shares.values())) / max(sum(shares.values()), 1e-300)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_relative_entropy_of_scipy(seed):
    generator = np.random.default_rng(seed)
    lists = np.stack([generator.permutation(4)[:3] for _ in range(30)]).astype(np.int32)
    rows = [generator.integers(0, 4, generator.integers(1, 6)) for _ in range(30)]
    expected = []
    for listed, had in zip(lists, rows, strict=True):
        own = mix(had)
        expected.append(stats.entropy(own, (1 - SMOOTHING) * mix(listed) + SMOOTHING * own))
    np.testing.assert_allclose(
        category_divergence(lists, profiles_of(*rows), TABLE), expected, rtol=1e-9, atol=1e-12
    )


def test_the_same_mix_is_no_divergence_and_a_missing_interest_is_the_most():
    found = category_divergence(np.array([[2], [0]], np.int32), profiles_of([0, 1], [3]), TABLE)
    assert found == pytest.approx([0.0, -np.log(SMOOTHING)])


def test_where_a_list_or_a_person_has_no_category_nothing_is_said():
    lists = np.array([[4, -1], [-1, -1], [0, 1], [9, 4]], np.int32)
    assert category_divergence(lists, profiles_of([0], [0], [], [9, 0]), TABLE).tolist() == [0.0] * 4
