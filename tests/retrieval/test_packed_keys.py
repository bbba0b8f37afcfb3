"""Packed keys are the keys that were packed, in less memory."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foretaste.retrieval.merge import merge
from foretaste.retrieval.packed_keys import PackedKeys
from foretaste.retrieval.rows import Row, scores_at
from foretaste.retrieval.selection import best_entries

MUCH = 1 << 20
NO_KEYS, NO_ENTRIES = np.empty(0, np.float32), np.empty(0, np.int64)
KEYS = hnp.arrays(
    np.float32,
    st.integers(1, 300),
    elements=st.sampled_from([0.0, 0.0, 0.0, -0.0, -2.0, 0.5, 1.0, 3e30, 1e-30]),
)


def proposed(row, allowed, per_source):
    found = merge(("s",), [row], allowed, per_source=per_source, interactions=lambda: np.empty(0, np.int64))
    return found.item.tolist(), found.score.tobytes(), found.proposed.tolist()


@given(dense=KEYS)
def test_they_are_all_there_bit_for_bit(dense):
    assert PackedKeys.of(dense, MUCH).all().tobytes() == dense.tobytes()


@given(dense=KEYS, count=st.integers(1, 40), seed=st.integers(0, 99))
def test_the_best_of_them_are_the_best_of_all(dense, count, seed):
    allowed = np.random.default_rng(seed).random(len(dense)) < 0.7
    assert (
        PackedKeys.of(dense, MUCH).best_entries(allowed, count).tolist()
        == best_entries(dense, allowed, count).tolist()
    )


@given(dense=KEYS, at_hand=st.integers(1, 20), seed=st.integers(0, 99), share=st.sampled_from([0.1, 0.9]))
def test_a_row_of_them_proposes_what_one_of_all_keys_does(dense, at_hand, seed, share):
    allowed = np.random.default_rng(seed).random(len(dense)) < share
    packed = PackedKeys.of(dense, MUCH)
    row = Row(NO_KEYS, best_entries(dense, allowed, at_hand), at_hand, packed=packed)
    plain = Row(dense, best_entries(dense, allowed, at_hand), at_hand)
    assert proposed(row, allowed, 12) == proposed(plain, allowed, 12)
    items = np.array([0, len(dense) - 1, len(dense)], np.int32)
    assert scores_at(row, items).tolist() == scores_at(plain, items).tolist()


@given(dense=KEYS, seed=st.integers(0, 99))
def test_other_keys_take_the_place_of_theirs(dense, seed):
    draw = np.random.default_rng(seed)
    packed, now = PackedKeys.of(dense, MUCH), dense.copy()
    for _ in range(3):
        items = np.flatnonzero(draw.random(len(dense)) < 0.1).astype(np.int32)
        keys = draw.choice(np.array([0.0, 0.25, -1.0], np.float32), len(items))
        now[items] = keys
        assert packed.put(items, keys)
        assert packed.all().tolist() == now.tolist()


def test_what_takes_too_much_is_not_packed_and_not_put():
    dense = np.zeros(6_400, np.float32)
    dense[:100] = 1.0
    assert PackedKeys.of(dense, 1_600 + 399) is None
    packed = PackedKeys.of(dense, 1_600 + 400)
    assert packed.nbytes == 1_600 + 400
    assert packed.put(np.array([99], np.int32), np.full(1, 2.0, np.float32))
    assert not packed.put(np.array([100], np.int32), np.full(1, 2.0, np.float32))
