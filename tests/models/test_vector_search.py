"""What is searched for in lists is what scoring everything would have found, with the same scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.models.coded_vectors import CodedVectors
from foretaste.models.entries import items_of
from foretaste.models.listing import ENOUGH, LEAST_LISTED, in_lists
from foretaste.models.vector_model import VectorQuery
from foretaste.models.vector_search import best_vectors, best_vectors_among
from foretaste.retrieval.selection import best_entries_among
from foretaste.testing.listed_vectors import a_person, factors, listed_query

N, DIM = 20_000, 32
SHOWN = np.ones(N, np.bool_)


@pytest.fixture(scope="module")
def large():
    vectors, draw = CodedVectors.of(factors(N, DIM, 0, 150)), np.random.default_rng(0)
    return in_lists(vectors, np.stack([a_person(vectors, draw) for _ in range(128)]), 0)


@pytest.fixture
def query(large):
    return VectorQuery(large, a_person(large, np.random.default_rng(1)))


def recall(vectors, draw):
    """Return the part of the true best ten that is found, on average over people."""
    found = []
    for _ in range(100):
        person = a_person(vectors, draw)
        true = np.argsort(-vectors.products(person))[:10]
        entries = best_vectors(VectorQuery(vectors, person), SHOWN, N, 128).entries
        found.append(np.isin(true, items_of(entries)).mean())
    return np.mean(found)


def test_so_many_are_looked_at_that_nearly_all_of_the_true_best_are_found(large):
    assert recall(large, np.random.default_rng(2)) >= ENOUGH - 0.005


def test_a_search_that_looks_at_fewer_than_were_chosen_finds_less(large):
    fewer = large.looking(large.lists.centres.looks / 4)
    assert recall(fewer, np.random.default_rng(2)) < recall(large, np.random.default_rng(2))


def test_vectors_in_which_nothing_is_next_to_each_other_are_in_no_lists():
    draw = np.random.default_rng(0)
    vectors = CodedVectors.of(draw.standard_normal((LEAST_LISTED, 64)).astype(np.float32))
    assert in_lists(vectors, draw.standard_normal((50, 64)).astype(np.float32), 0).lists is None


@pytest.mark.parametrize(("n", "queries"), [(LEAST_LISTED - 1, 5), (LEAST_LISTED, 0)])
def test_few_vectors_and_those_that_nobody_asks_are_in_no_lists(n, queries):
    vectors = CodedVectors.of(np.ones((n, 2), np.float32))
    assert in_lists(vectors, np.ones((queries, 2), np.float32), 0).lists is None


def test_what_is_found_has_the_scores_of_all_bit_for_bit(query):
    entries = best_vectors(query, SHOWN, N, 100).entries
    scores = query.vectors.products(query.vector)
    assert (entries >> 32).astype(np.int32).view(np.float32).tobytes() == scores[items_of(entries)].tobytes()
    assert (np.diff(entries) < 0).all()


@given(n=st.integers(2, 90), seed=st.integers(0, 200), share=st.sampled_from([0.1, 0.9]))
@settings(deadline=None)
def test_fewer_than_wanted_are_all_that_there_are(n, seed, share):
    query = listed_query(n, seed=seed)
    allowed = np.random.default_rng(seed).random(n) < share
    scores = query.vectors.products(query.vector)
    found = best_vectors(query, allowed, n, n).entries
    assert sorted(items_of(found)) == np.flatnonzero(allowed & (scores > 0.0)).tolist()


@given(n=st.integers(3, 90), seed=st.integers(0, 200), count=st.integers(1, 20))
@settings(deadline=None)
def test_a_look_at_all_that_pass_finds_what_sorting_finds(n, seed, count):
    query = listed_query(n, seed=seed, looks=100.0)
    items = np.flatnonzero(np.random.default_rng(seed).random(n) < 0.4).astype(np.int32)
    scores = query.vectors.products(query.vector)
    found = best_vectors_among(query, items, np.isin(np.arange(n), items), count).entries
    assert found.tobytes() == best_entries_among(scores, items, count).tobytes()


def test_many_that_pass_are_searched_too(query):
    items = np.flatnonzero(np.random.default_rng(4).random(N) < 0.9).astype(np.int32)
    passes = np.isin(np.arange(N), items)
    found = best_vectors_among(query, items, passes, 20).entries
    assert found.tobytes() == best_vectors(query, passes, len(items), 20).entries.tobytes()
    assert passes[items_of(found)].all()


def test_what_is_found_does_not_depend_on_how_vectors_came_to_be(query):
    items = np.random.default_rng(3).permutation(N)[:3_000].astype(np.int32)
    new = factors(3_000, DIM, 9, 150)
    at_once = query.vectors.with_rows(items, new)
    pieces = query.vectors.with_rows(items[:1], new[:1])
    for part in range(0, 3_000, 250):
        pieces = pieces.rewritten(items[part : part + 250], new[part : part + 250])
    both = [
        best_vectors(VectorQuery(each, query.vector), SHOWN, N, 200).entries for each in (at_once, pieces)
    ]
    assert both[0].tobytes() == both[1].tobytes()


def test_vectors_in_no_lists_are_not_searched():
    with pytest.raises(TypeError, match="have to be in lists"):
        best_vectors(
            VectorQuery(CodedVectors.of(factors(50, DIM, 0, 3)), np.ones(DIM, np.float32)), SHOWN, 50, 5
        )


def test_a_query_that_says_nothing_finds_nothing(large):
    assert len(best_vectors(VectorQuery(large, np.zeros(DIM, np.float32)), SHOWN, N, 10).entries) == 0
