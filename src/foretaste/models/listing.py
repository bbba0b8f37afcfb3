"""Whether vectors are worth being put in lists, and how many of them a search then looks at."""

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Floats, Int64s
from foretaste.models.coded_vectors import CodedVectors
from foretaste.models.entries import items_of
from foretaste.models.vector_model import VectorQuery
from foretaste.models.vector_search import best_vectors, looked_at

LEAST_LISTED = 8_192
"""Fewer vectors than these are looked at one and all: that takes no longer."""
LOOKS = (1.0, 1.5, 2.2, 3.3, 5.0)
ENOUGH = 0.995
"""So much of the true best fifty is to be found, on average over queries."""
MOST_LOOKED = 1 / 3
"""A search that has to look at more than this part of all vectors is none."""
ASKED, WANTED, BEST = 128, 128, 50


def in_lists(vectors: CodedVectors, queries: Floats, seed: int) -> CodedVectors:
    """Return `vectors` in lists, in which a search for `queries`, float32 [n, dim], finds `ENOUGH`.

    The fewest looks that do are taken. Without lists where none do, and where vectors are few.
    """
    if np.count_nonzero(vectors.row) < LEAST_LISTED or not len(queries):
        return vectors
    listed = vectors.listed(seed)
    best = [_best(vectors.products(query)) for query in queries]
    for looks in LOOKS:
        tried = listed.looking(looks)
        if looked_at(looks, len(vectors), WANTED) > MOST_LOOKED * len(vectors):
            break
        if np.mean([_found(tried, query, true) for query, true in zip(queries, best, strict=True)]) >= ENOUGH:
            return tried
    return vectors


def some_rows(matrix: sparse.csr_matrix, seed: int) -> sparse.csr_matrix:
    """Return the rows of some people, drawn by `seed`, to ask for what they would."""
    return matrix[np.random.default_rng(seed).permutation(matrix.shape[0])[:ASKED]]


def _best(scores: Floats) -> Int64s:
    most = min(BEST, len(scores))
    best = np.argpartition(-scores, most - 1)[:most]
    return np.asarray(best[scores[best] > 0.0])


def _found(vectors: CodedVectors, query: Floats, best: Int64s) -> float:
    """Return the part of the true `best` that a search finds."""
    shown = np.ones(len(vectors), np.bool_)
    found = best_vectors(VectorQuery(vectors, query), shown, len(vectors), WANTED)
    return float(np.isin(best, items_of(found.entries)).mean()) if len(best) else 1.0
