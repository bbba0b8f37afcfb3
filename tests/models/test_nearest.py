"""The rows most alike are those that comparing with every row finds, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from foretaste.models.item_features import Described, each_times
from foretaste.models.nearest import Nearest
from foretaste.models.unit_rows import unit_rows

TERMS, DIM = 30, 12


def described(rows, seed, kinds):
    """Return what rows are about, many of them alike: they are of so many `kinds`."""
    draw = np.random.default_rng(seed)
    words = unit_rows(draw.random((kinds, TERMS)) * (draw.random((kinds, TERMS)) < 0.2))
    dense = unit_rows(draw.standard_normal((kinds, DIM)).astype(np.float32))
    chosen = draw.integers(kinds, size=rows)
    return Described(sparse.csr_matrix(words[chosen]), dense[chosen])


def compared_with_every_row(others, about, words, most):
    """Return the same by the definition: all sums in the order of terms and columns."""
    alike = np.zeros((len(about.dense), len(others.dense)), np.float32)
    asked, told = about.words.toarray(), others.words.toarray()
    for term in range(TERMS):
        alike += asked[:, term, np.newaxis] * told[np.newaxis, :, term]
    alike = np.float32(words) * alike + np.float32(1.0 - words) * each_times(about.dense, others.dense.T)
    nearest, values = np.zeros((len(alike), most), np.int64), np.zeros((len(alike), most), np.float32)
    for row, own in enumerate(alike):
        best = np.argsort(-own, kind="stable")[:most]
        best = np.sort(best[own[best] > 0.0])
        nearest[row, : len(best)], values[row, : len(best)] = best, own[best]
    return nearest, values


@settings(max_examples=60)
@given(
    n=st.integers(1, 400),
    most=st.integers(1, 60),
    kinds=st.sampled_from([1, 5, 1_000]),
    words=st.sampled_from([0.0, 0.5, 0.3, 1.0]),
    seed=st.integers(0, 1_000),
)
def test_the_nearest_are_those_found_by_comparing_with_every_row(n, most, kinds, words, seed):
    others, about = described(n, seed, kinds), described(7, seed + 1, kinds)
    nearest, alike = Nearest.among(others).of(about, words, most)
    expected, values = compared_with_every_row(others, about, words, most)
    assert nearest.tolist() == expected.tolist()
    assert alike.tobytes() == values.tobytes()


@pytest.mark.parametrize("words", [0.0, 0.5, 1.0])
def test_what_is_found_does_not_depend_on_what_is_asked_beside(words):
    near, about = Nearest.among(described(900, 0, 1_000)), described(300, 1, 1_000)
    nearest, alike = near.of(about, words, 48)
    for row in (0, 130, 299):
        alone = near.of(about.take(slice(row, row + 1)), words, 48)
        assert alone[0][0].tolist() == nearest[row].tolist()
        assert alone[1][0].tobytes() == alike[row].tobytes()


@pytest.mark.parametrize("n", [100, 300])
def test_who_asks_with_another_share_of_words_finds_the_same_by_what_was_kept(n):
    near, about, kept = Nearest.among(described(900, 0, 1_000)), described(n, 1, 1_000), {}
    for words in (0.0, 0.5, 1.0, 0.3):
        nearest, alike = near.of(about, words, 48, kept)
        alone = near.of(about, words, 48)
        assert nearest.tolist() == alone[0].tolist()
        assert alike.tobytes() == alone[1].tobytes()


def test_what_was_kept_of_other_rows_is_not_taken_for_these():
    near, kept = Nearest.among(described(900, 0, 1_000)), {}
    for seed in (1, 2):
        about = described(100, seed, 1_000)
        nearest, _ = near.of(about, 0.0, 48, kept)
        assert nearest.tolist() == near.of(about, 0.0, 48)[0].tolist()
