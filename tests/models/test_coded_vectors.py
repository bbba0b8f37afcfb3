"""Vectors of eight bits a number are nearly those that they were made of, and mean exactly what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.models.coded_vectors import CodedVectors


def some_vectors(n, dim, seed):
    generator = np.random.default_rng(seed)
    vectors = generator.standard_normal((n, dim)) * generator.exponential(1.0, (n, 1)) * 0.7 ** np.arange(dim)
    vectors[2::7] = 0.0
    return vectors.astype(np.float32)


@given(n=st.integers(0, 40), dim=st.integers(1, 20), seed=st.integers(0, 999))
@settings(deadline=None)
def test_a_number_is_off_by_at_most_half_a_step_of_its_row(n, dim, seed):
    vectors = some_vectors(n, dim, seed)
    coded = CodedVectors.of(vectors)
    step = coded.row[:, np.newaxis] * coded.column
    assert (np.abs(coded.all() - vectors) <= 0.5001 * step).all()
    assert (coded.all()[2::7] == 0.0).all()


@given(n=st.integers(1, 40), dim=st.integers(1, 40), seed=st.integers(0, 999))
@settings(deadline=None)
def test_products_are_those_with_the_vectors_written_out(n, dim, seed):
    coded = CodedVectors.of(some_vectors(n, dim, seed))
    person = np.random.default_rng(seed + 1).standard_normal(dim).astype(np.float32)
    expected = pytest.approx(coded.all() @ person, rel=1e-4, abs=1e-5)
    assert coded.products(person) == expected
    many = np.zeros((2, n), np.float32)
    coded.products_of_many(np.stack([person, person]), many)
    assert many[1] == expected


@given(items=st.lists(st.integers(-3, 25), max_size=12), seed=st.integers(0, 999))
@settings(deadline=None)
def test_products_of_some_are_those_of_all_and_zero_outside(items, seed):
    coded = CodedVectors.of(some_vectors(20, 9, seed))
    person = np.random.default_rng(seed + 1).standard_normal(9).astype(np.float32)
    padded = np.zeros(30, np.float32)
    padded[:20] = coded.products(person)
    asked = np.array(items, np.int32)
    expected = np.where(asked < 0, np.float32(0.0), padded[asked])
    assert coded.products_of(asked, person).tobytes() == expected.tobytes()


def test_rows_that_are_put_in_leave_the_others_as_they_are():
    coded = CodedVectors.of(some_vectors(20, 9, 1))
    more = coded.with_rows(np.array([3, 24], np.int32), np.ones((2, 9), np.float32))
    kept = np.delete(np.arange(20, dtype=np.int32), 3)
    assert len(more) == 25
    assert (more.at(kept) == coded.at(kept)).all()
    assert more.at(np.array([3, 24], np.int32)) == pytest.approx(1.0, rel=0.2)
    assert (more.at(np.arange(20, 24, dtype=np.int32)) == 0.0).all()


def test_unit_vectors_have_length_one_or_are_nothing():
    coded = CodedVectors.of(some_vectors(20, 9, 1))
    lengths = np.linalg.norm(coded.unit(np.arange(-1, 21, dtype=np.int32)), axis=1)
    known = [item for item in range(20) if item % 7 != 2]
    assert lengths[np.array(known) + 1] == pytest.approx(1.0, rel=1e-5)
    assert (np.delete(lengths, np.array(known) + 1) == 0.0).all()
