"""The fast solve gives what the plain normal equations give."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.models.ials_solver import eigenbasis, shares, solve_row, solve_side

DIM = 12


def plain(vectors, weight, diagonal):
    """Solve (D + X'CX) w = X'Ct in float64, as it stands."""
    rows, size = vectors.astype(np.float64), np.abs(weight).astype(np.float64)
    system = np.diag(diagonal.astype(np.float64)) + rows.T @ (size[:, np.newaxis] * rows)
    return np.linalg.solve(system, rows.T @ weight.astype(np.float64)), system


def problem(seed, n_entries):
    generator = np.random.default_rng(seed)
    vectors = generator.standard_normal((n_entries, DIM)).astype(np.float32)
    weight = (generator.exponential(1.0, n_entries) * generator.choice([1.0, -0.5], n_entries)).astype(
        np.float32
    )
    diagonal = (0.05 + generator.exponential(2.0, DIM)).astype(np.float32)
    return vectors, weight, diagonal


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), n_entries=st.integers(0, 3 * DIM))
def test_a_row_is_solved_exactly_whichever_system_is_the_smaller(seed, n_entries):
    vectors, weight, diagonal = problem(seed, n_entries)
    expected, _ = plain(vectors, weight, diagonal)
    assert solve_row(vectors, weight, diagonal).vector == pytest.approx(expected, rel=2e-3, abs=2e-4)


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), n_entries=st.integers(1, 3 * DIM))
def test_shares_are_the_terms_of_the_inner_product_with_the_solution(seed, n_entries):
    vectors, weight, diagonal = problem(seed, n_entries)
    asked = np.random.default_rng(seed).standard_normal((3, DIM)).astype(np.float32)
    _, system = plain(vectors, weight, diagonal)
    expected = (np.linalg.solve(system, asked.T.astype(np.float64)).T @ vectors.T) * weight
    solved = solve_row(vectors, weight, diagonal)
    added = shares(vectors, weight, diagonal, solved.factor, asked)
    assert added == pytest.approx(expected, rel=5e-3, abs=5e-4)
    assert added.sum(axis=1) == pytest.approx(asked @ solved.vector, rel=5e-3, abs=5e-3)


def test_an_entry_without_weight_is_as_if_it_were_not_there():
    vectors, weight, diagonal = problem(1, 5)
    weight[2] = 0.0
    rest = np.array([0, 1, 3, 4])
    expected = solve_row(vectors[rest], weight[rest], diagonal).vector
    assert solve_row(vectors, weight, diagonal).vector == pytest.approx(expected, rel=1e-5)


def test_all_rows_of_a_side_are_solved_like_single_ones():
    generator = np.random.default_rng(3)
    fixed, spectrum = eigenbasis(generator.standard_normal((40, DIM)).astype(np.float32))
    lengths = np.array([0, 1, 5, DIM - 1, DIM, DIM + 1, 30, 0])
    start = np.concatenate(([0], np.cumsum(lengths)))
    index = np.concatenate([generator.permutation(40)[:n] for n in lengths]).astype(np.int32)
    weight = generator.exponential(1.0, len(index)).astype(np.float32)
    regularization = generator.exponential(1.0, len(lengths)).astype(np.float32)
    solved = solve_side(start, index, weight, fixed, spectrum, regularization)
    for row, vector in enumerate(solved):
        window = slice(start[row], start[row + 1])
        diagonal = spectrum + regularization[row]
        expected = solve_row(fixed[index[window]], weight[window], diagonal).vector
        assert vector == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_the_eigenbasis_keeps_inner_products_and_has_a_diagonal_gramian():
    vectors = np.random.default_rng(4).standard_normal((50, DIM)).astype(np.float32)
    rotated, spectrum = eigenbasis(vectors)
    assert rotated @ rotated.T == pytest.approx(vectors @ vectors.T, abs=1e-4)
    assert rotated.T @ rotated == pytest.approx(np.diag(spectrum), abs=1e-3)


@pytest.mark.parametrize("n_entries", [30, 600, 1500])
def test_many_dimensions_are_solved_in_float32(n_entries):
    generator = np.random.default_rng(4)
    fixed, spectrum = eigenbasis(generator.standard_normal((2000, 1024)).astype(np.float32) * 0.03)
    index = generator.choice(2000, n_entries, replace=False).astype(np.int32)
    weight = generator.exponential(1.0, n_entries).astype(np.float32)
    start, regularization = np.array([0, n_entries]), np.array([0.3], np.float32)
    found = solve_side(start, index, weight, fixed, 0.02 * spectrum, regularization)
    expected, _ = plain(fixed[index], weight, 0.02 * spectrum + 0.3)
    assert found[0] == pytest.approx(expected, rel=1e-2, abs=1e-4 * np.abs(expected).max())
