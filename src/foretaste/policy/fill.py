"""Which items rules call for among all there are: enough of each group, and enough outside of full ones."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.kernel import inplace_kernel
from foretaste.features.category_table import CategoryTable


def best_of_each(scores: Floats, allowed: Mask, table: CategoryTable, count: int) -> Ordinals:
    """Return the `count` allowed items of the highest scores of each category, int32 [categories, count].

    Best first, of equals the lower ordinal; -1 where a category has fewer. `scores` float32 and `allowed`
    bool are by ordinal; items beyond `table` have no category. One pass over all items.
    """
    best = np.full((len(table.names), count), -1, np.int32)
    _fill_each(scores, allowed, table.start, table.code, best)
    return best


@inplace_kernel
def _fill_each(scores: Floats, allowed: Mask, start: Int64s, code: Ordinals, best: Ordinals) -> None:
    last = best.shape[1] - 1
    for item in range(min(len(scores), len(start) - 1)):
        if allowed[item]:
            for at in range(start[item], start[item + 1]):
                own = best[code[at]]
                if own[last] >= 0 and scores[own[last]] >= scores[item]:
                    continue
                place = last
                while place > 0 and (own[place - 1] < 0 or scores[own[place - 1]] < scores[item]):
                    own[place] = own[place - 1]
                    place -= 1
                own[place] = item


def first_within(start: Int64s, group: Int64s, at_most: Int64s, placed: Int64s, count: int) -> Int64s:
    """Return the first `count` of n, in order, that leave no group with more than `at_most`, int64 positions.

    The groups of the i-th are `group[start[i]:start[i + 1]]`; `placed` int64 [groups] counts those that are
    there already.
    """
    kept = np.empty(min(count, len(start) - 1), np.int64)
    return kept[: _keep_within(start, group, at_most, placed.astype(np.int64), kept)]


@inplace_kernel
def _keep_within(start: Int64s, group: Int64s, at_most: Int64s, placed: Int64s, kept: Int64s) -> int:
    length = 0
    for i in range(len(start) - 1):
        if length == len(kept):
            break
        fits = True
        for at in range(start[i], start[i + 1]):
            fits = fits and placed[group[at]] < at_most[group[at]]
        if fits:
            for at in range(start[i], start[i + 1]):
                placed[group[at]] += 1
            kept[length] = i
            length += 1
    return length
