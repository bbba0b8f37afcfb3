"""Young items are told of by what was taken near them, and by that and their words together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.models.companions import blended, companions
from foretaste.models.likeness import DOUBT, PARTS, Mixtures
from foretaste.testing.clustered_shop import N_ITEMS, clustered_shop

SHARES = st.floats(0.0, 1.0)


def mixture_of(parts):
    """Return one row that holds the parts of a mapping, rising."""
    part, weight = np.zeros((1, PARTS), np.int32), np.zeros((1, PARTS), np.float32)
    part[0, : len(parts)], weight[0, : len(parts)] = sorted(parts), [parts[item] for item in sorted(parts)]
    return Mixtures(np.zeros(1, np.int32), part, weight)


PARTED = st.dictionaries(st.integers(0, 70), st.floats(0.125, 1.0, width=32), max_size=PARTS)


@given(one=PARTED, other=PARTED, share=SHARES)
def test_two_mixtures_are_joined_by_their_shares(one, other, share):
    mixed = blended(mixture_of(one), mixture_of(other), np.array([share]))
    used = np.flatnonzero(mixed.weight[0])
    found = dict(zip(mixed.part[0][used].tolist(), mixed.weight[0][used].tolist(), strict=True))
    whole = {
        item: share * one.get(item, 0.0) + (1.0 - share) * other.get(item, 0.0) for item in {*one, *other}
    }
    assert list(found) == sorted(found)
    assert found == pytest.approx({item: whole[item] for item in found}, rel=1e-5, abs=1e-7)
    left_out = [value for item, value in whole.items() if item not in found]
    if left_out and len(found) == PARTS:
        assert max(left_out) <= min(found.values()) + 1e-6
    else:
        assert max(left_out, default=0.0) <= 1e-7


def test_companions_are_the_trained_items_taken_near_most():
    items = clustered_shop().state.items
    trained = np.where(np.arange(N_ITEMS) % 3 == 0, 0, 5)
    young = np.array([0, 3, 10, N_ITEMS + 7], np.int32)
    found = companions(items, young, trained)
    for row, item in enumerate(young.tolist()):
        others, together = items.together(item)
        known = np.flatnonzero((others < N_ITEMS) & (others % 3 != 0))
        most = np.sort(known[np.argsort(-together[known], kind="stable")[:PARTS]])
        used = np.flatnonzero(found.weight[row])
        assert found.part[row][used].tolist() == others[most].tolist()
        expected = together[most] / (together[most].sum(dtype=np.float32) + np.float32(DOUBT))
        assert found.weight[row][used].tobytes() == expected.astype(np.float32).tobytes()
    assert found.weight[:3].any(axis=1).all()
    assert not found.weight[3].any()


def test_what_is_told_of_an_item_does_not_depend_on_those_beside_it():
    items, trained = clustered_shop().state.items, np.full(N_ITEMS, 5)
    young = np.arange(0, N_ITEMS, 4, dtype=np.int32)
    together = companions(items, young, trained)
    for row in (0, 5, len(young) - 1):
        alone = companions(items, young[row : row + 1], trained)
        assert alone.weight.tobytes() == together.weight[row].tobytes()
