"""How alike items are, for rules about a slate as a whole."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.kernel import inner_kernel, inplace_kernel, kernel
from foretaste.features.category_table import CategoryTable

_ABSENT = -1.0


@inner_kernel
def _overlap(start: Int64s, code: Ordinals, one: int, other: int) -> float:
    """Return the cosine of two items' sets of categories, `_ABSENT` where one of them has none."""
    if max(one, other) >= len(start) - 1:
        return _ABSENT
    size, other_size = start[one + 1] - start[one], start[other + 1] - start[other]
    if size == 0 or other_size == 0:
        return _ABSENT
    common = 0
    for p in range(start[one], start[one + 1]):
        for q in range(start[other], start[other + 1]):
            if code[p] == code[q]:
                common += 1
    return float(common / np.sqrt(size * other_size)) if common else 0.0


@inner_kernel
def likeness(cosine: float, are_known: bool, start: Int64s, code: Ordinals, one: int, other: int) -> float:
    """Return the likeness of two items, of which `cosine` counts if both have a vector."""
    alike = _overlap(start, code, one, other)
    if are_known:
        angle = min(max(np.float64(cosine), 0.0), 1.0)
        alike = angle if alike == _ABSENT else 0.5 * (angle + alike)
    return max(alike, 0.0)


@inplace_kernel
def _combine(cosine: Floats, start: Int64s, code: Ordinals, items: Ordinals) -> None:
    """Replace the vectors' cosines, both triangles, by the likeness; a diagonal of 0 says "no vector"."""
    n = len(items)
    for i in range(n):
        is_known = cosine[i, i] > np.float32(0.0)
        for j in range(i, n):
            both = is_known and cosine[j, j] > np.float32(0.0)
            cosine[i, j] = likeness(cosine[i, j], both, start, code, items[i], items[j])
            cosine[j, i] = cosine[i, j]


def similarities(vectors: Floats | None, categories: CategoryTable, items: Ordinals) -> Floats:
    """Return the likeness of all pairs of `items`, float32 [n, n] in [0, 1].

    It is the mean of the cosine of their vectors (unit rows, zero where unknown; negative cosines count
    as 0) and the cosine of their sets of categories; where a pair lacks one of these, the other alone; 0
    without both.
    """
    alike = np.zeros((len(items), len(items)), np.float32) if vectors is None else vectors @ vectors.T
    _combine(alike, categories.start, categories.code, items)
    return alike


@kernel
def _find_nearest(
    cosine: Floats, known: Mask, start: Int64s, code: Ordinals, items: Ordinals, found: Floats
) -> None:
    """Write the largest likeness in each row; the others follow the n of `cosine`'s rows in `items`."""
    n, m = cosine.shape
    for i in range(n):
        for j in range(m):
            both = known[i] and known[n + j]
            alike = likeness(cosine[i, j], both, start, code, items[i], items[n + j])
            found[i] = max(found[i], np.float32(alike))


def nearest_of(vectors: Floats | None, categories: CategoryTable, items: Ordinals, n: int) -> Floats:
    """Return how like each of the first `n` of `items` is to the likest of the others, float32 [n] in [0, 1].

    Likeness as in `similarities`; 0 where there are no others. O(n · others), without a square of all.
    """
    cosine = np.zeros((n, len(items) - n), np.float32) if vectors is None else vectors[:n] @ vectors[n:].T
    known = np.zeros(len(items), np.bool_) if vectors is None else np.asarray(vectors.any(axis=1))
    found = np.zeros(n, np.float32)
    _find_nearest(cosine, known, categories.start, categories.code, items, found)
    return found
