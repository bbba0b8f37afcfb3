"""Sources: every model scores all items, and proposes its best allowed ones."""

from collections.abc import Sequence

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.history import History
from foretaste.domain.kernel import kernel
from foretaste.models.interface import Model, Moment


def dense_scores(models: Sequence[Model], history: History, moment: Moment) -> Floats:
    """Return every model's score of every item, float32 [len(models), moment.n_items]."""
    dense = np.empty((len(models), moment.n_items), np.float32)
    for row, model in enumerate(models):
        dense[row] = model.score(history, moment)
    return dense


@kernel
def _keep_best(keys: Int64s, n: int, m: int) -> None:
    """Reorder `keys[:n]`, all different, so that the largest `m` come first; `0 < m < n`."""
    low, high = 0, n - 1
    while low < high:
        a, b, c = keys[low], keys[(low + high) // 2], keys[high]
        pivot = max(min(a, b), min(max(a, b), c))
        left, right = low, high
        while left <= right:
            while keys[left] > pivot:
                left += 1
            while keys[right] < pivot:
                right -= 1
            if left <= right:
                keys[left], keys[right] = keys[right], keys[left]
                left += 1
                right -= 1
        if m - 1 <= right:
            high = right
        elif m - 1 >= left:
            low = left
        else:
            return


@kernel
def propose(dense: Floats, allowed: Mask, m: int, proposed: Int64s) -> int:
    """Set bit s of `proposed[i]` for the `m` best allowed items i of every source s; return how many.

    A source proposes only what it has reason for: scores above 0. Of equal scores the lower ordinal comes
    first. `dense` [n_sources ≤ 63, n_items]. One pass per source: a buffer collects what exceeds the
    m-th best so far, and is cut down to the best m whenever it is full.
    """
    n_sources, n_items = dense.shape
    bits = dense.view(np.int32)  # positive floats are ordered as their bit patterns are
    room = 2 * m
    keys = np.empty(room, np.int64)
    united = 0
    for s in range(n_sources):
        length = 0
        bound = np.int64(0)
        for i in range(n_items):
            if np.int64(bits[s, i]) > bound and allowed[i]:
                keys[length] = (np.int64(bits[s, i]) << 32) | (0xFFFFFFFF - i)
                length += 1
                if length == room:
                    _keep_best(keys, length, m)
                    length = m
                    bound = keys[:m].min() >> 32
        if length > m:
            _keep_best(keys, length, m)
            length = m
        for place in range(length):
            item = 0xFFFFFFFF - (keys[place] & 0xFFFFFFFF)
            if proposed[item] == 0:
                united += 1
            proposed[item] |= np.int64(1) << s
    return united


@kernel
def _collect(dense: Floats, marks: Int64s, item: Ordinals, score: Floats, proposed: Ordinals) -> None:
    n_sources = len(dense)
    place = 0
    for i in range(len(marks)):
        if marks[i] != 0:
            item[place] = i
            for s in range(n_sources):
                score[s, place] = dense[s, i]
                proposed[s, place] = (marks[i] >> s) & 1
            place += 1


def collect(dense: Floats, marks: Int64s, count: int) -> tuple[Ordinals, Floats, Ordinals]:
    """Return the `count` marked items by ordinal, their scores and by which sources they were proposed.

    int32 [count], float32 and int32 [n_sources, count].
    """
    item = np.empty(count, np.int32)
    score = np.empty((len(dense), count), np.float32)
    proposed = np.empty((len(dense), count), np.int32)
    _collect(dense, marks, item, score, proposed)
    return item, score, proposed
