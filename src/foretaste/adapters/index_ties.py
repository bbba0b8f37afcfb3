"""Exactness to the last bit: what a fast product finds, ordered by products that equal rows share.

A matrix product rounds a row's score by where the row stands, so that equal rows differ in their last bits.
Here each pair is multiplied alone, in float64, and rounded once: equal rows have equal scores.
"""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s

ROUNDING = 1.2e-7
"""By how much one float32 product is off at most, relative; sums of `dim` products by `dim` times as much."""
BLOCK = 1 << 22
"""Numbers multiplied at once: bounds memory."""


def longest(rows: Floats) -> float:
    """Return the largest length of any row, 0 for none."""
    return float(np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64).max(initial=0.0)))


def slack(queries: Floats, longest_row: float) -> Floats:
    """Return by how much a fast score of each query may be off: float32 [q]."""
    lengths = np.sqrt(np.einsum("qd,qd->q", queries, queries, dtype=np.float64))
    off: Floats = (queries.shape[1] * ROUNDING * longest_row * lengths).astype(np.float32)
    return off


def products(query: Floats, rows: Floats) -> Floats:
    """Return the inner products of `query` [dim] with `rows` [n, dim], equal for equal rows: float32 [n]."""
    found = np.empty(len(rows), np.float32)
    step = max(1, BLOCK // max(1, rows.shape[1]))
    wide = query.astype(np.float64)
    for start in range(0, len(rows), step):
        found[start : start + step] = (rows[start : start + step] * wide).sum(axis=1)
    return found


def best_rows(query: Floats, rows: Floats, ordinals: Int64s, k: int) -> tuple[Int64s, Floats]:
    """Return the best `k` of `ordinals`, whose vectors are `rows`, and their scores; equals by ordinal."""
    scores = products(query, rows)
    order = np.lexsort((ordinals, -scores))[:k]
    return ordinals[order], scores[order]
