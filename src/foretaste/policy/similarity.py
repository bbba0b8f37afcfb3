"""How alike items are, for rules about a slate as a whole."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.features.category_table import CategoryTable


@kernel
def _overlaps(start: Int64s, code: Ordinals, items: Ordinals, overlap: Floats) -> None:
    """Write the cosine of the category sets of all pairs; -1 where one of the pair has no category."""
    n = len(items)
    for i in range(n):
        for j in range(i, n):
            common, value = 0, -1.0
            if items[i] < len(start) - 1 and items[j] < len(start) - 1:
                a, a_end = start[items[i]], start[items[i] + 1]
                b, b_end = start[items[j]], start[items[j] + 1]
                if a_end > a and b_end > b:
                    for p in range(a, a_end):
                        for q in range(b, b_end):
                            if code[p] == code[q]:
                                common += 1
                    value = common / np.sqrt((a_end - a) * (b_end - b))
            overlap[i, j] = value
            overlap[j, i] = value


def similarities(vectors: Floats | None, categories: CategoryTable, items: Ordinals) -> Floats:
    """Return the likeness of all pairs of `items`, float32 [n, n] in [0, 1].

    It is the mean of the cosine of their vectors (unit rows, zero where unknown; negative cosines count
    as 0) and the cosine of their sets of categories; where a pair lacks one of these, the other alone; 0
    without both.
    """
    overlap = np.empty((len(items), len(items)), np.float32)
    _overlaps(categories.start, categories.code, items, overlap)
    comparable = np.asarray(overlap >= 0.0)
    overlap = np.maximum(overlap, 0.0)
    if vectors is None:
        return overlap
    cosine = np.clip(vectors @ vectors.T, 0.0, 1.0)
    known = np.asarray(vectors.any(axis=1))
    both = known[:, None] & known[None, :]
    mean = np.where(comparable, 0.5 * (cosine + overlap), cosine)
    return np.where(both, mean, overlap).astype(np.float32)
