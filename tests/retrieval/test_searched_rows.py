"""A row that is searched proposes what one that holds all scores does, with the same scores."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.models.vector_search import best_vectors
from foretaste.retrieval.masks import listed
from foretaste.retrieval.merge import merge
from foretaste.retrieval.rows import Row, all_scores, rows_within, scores_at
from foretaste.retrieval.selection import best_entries
from foretaste.testing.listed_vectors import listed_query

NO_SCORES, NO_ENTRIES = np.empty(0, np.float32), np.empty(0, np.int64)
YOUNGER = 3
"""So many items came after the vectors."""


def proposed(row, allowed, per_source):
    found = merge(("s",), [row], allowed, per_source=per_source, interactions=lambda: np.empty(0, np.int64))
    return found.item.tolist(), found.score.tobytes(), found.proposed.tolist()


@given(
    n=st.integers(3, 90),
    seed=st.integers(0, 99),
    at_hand=st.integers(1, 40),
    per_source=st.integers(1, 30),
    share=st.sampled_from([0.05, 0.5, 0.95]),
    is_kept=st.booleans(),
)
@settings(deadline=None)
def test_it_proposes_the_best_allowed_items_with_and_without_a_filter(
    n, seed, at_hand, per_source, share, is_kept
):
    query, draw = listed_query(n, seed=seed, looks=100.0), np.random.default_rng(seed)
    dense = np.zeros(n + YOUNGER, np.float32)
    dense[:n] = query.vectors.products(query.vector)
    available, passes, had = (draw.random(len(dense)) < part for part in (0.8, share, 0.3))
    passing = listed(passes, available, {})
    allowed = passing.shown & ~had
    entries = best_entries(dense, available, at_hand)
    searched = Row(NO_SCORES, entries, at_hand, are_all=len(entries) < at_hand, query=query)
    expected = proposed(Row(dense, NO_ENTRIES), allowed, per_source)
    for row in (searched, *rows_within([searched], passing if is_kept else None, allowed, per_source)):
        assert proposed(row, allowed, per_source) == expected


def test_it_tells_the_scores_of_all_and_of_some():
    query = listed_query(80)
    row = Row(NO_SCORES, best_vectors(query, np.ones(80, np.bool_), 80, 9).entries, 9, query=query)
    scores = query.vectors.products(query.vector)
    items = np.array([-1, 5, 79, 81, 5], np.int32)
    assert all_scores([row], 82)[0].tobytes() == np.append(scores, np.zeros(2, np.float32)).tobytes()
    assert scores_at(row, items).tolist() == [0.0, scores[5], scores[79], 0.0, scores[5]]
