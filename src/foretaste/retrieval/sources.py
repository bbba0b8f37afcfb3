"""Sources: every model scores all items, and proposes its best allowed ones."""

from collections.abc import Callable, Sequence

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.history import History
from foretaste.domain.kernel import kernel
from foretaste.models.interface import Model, Moment
from foretaste.models.live_model import SameForEveryone

MOST_KEPT = 32_768
"""Scores of no more items than these are kept with the history that they were worked out of."""

Finish = Callable[[Floats, Moment], Floats]


def dense_keys(
    models: Sequence[Model], history: History, moment: Moment
) -> tuple[Floats, list[tuple[int, Finish]]]:
    """Return what orders all items by every model, float32 [n_models, n_items], and what is left to do.

    A row holds scores, or, where a model has `keys`, those: the pairs say of which row, and what makes scores
    of them. So a function of all items' scores that keeps their order is only worked out for candidates.
    """
    dense = np.empty((len(models), moment.n_items), np.float32)
    finish: list[tuple[int, Finish]] = []
    for row, model in enumerate(models):
        if isinstance(model, SameForEveryone):
            dense[row] = model.keys(moment)
            finish.append((row, model.finished))
        else:
            dense[row] = _scores(model, history, moment)
    return dense, finish


def _scores(model: Model, history: History, moment: Moment) -> Floats:
    """Return the scores of all items, kept from before where only the history and what is unchanged tell."""
    basis = model.basis(moment) if len(history) else None
    if basis is None:
        return model.score(history, moment)
    kept: tuple[object, Floats] | None = history.memo.get(model)
    if kept is None or kept[0] is not basis or len(kept[1]) != moment.n_items:
        kept = (basis, model.score(history, moment))
        if moment.n_items <= MOST_KEPT:
            history.memo[model] = kept
    return kept[1]


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


_BLOCK = 64
"""So many scores are looked at together: where the best of them is not good enough none is."""

_WORD = 8
EVERYWHERE: Ordinals = np.empty(0, np.int32)
"""Given for the list of allowed items, where that would be long."""


@kernel
def _best_listed(row: Ordinals, among: Ordinals, m: int, keys: Int64s) -> int:
    """Bring keys of listed items to the front of `keys` [2 m], at least the `m` best; return how many."""
    length, bound = 0, np.int32(0)
    for i in among:
        if row[i] > bound:
            keys[length] = (np.int64(row[i]) << 32) | (0xFFFFFFFF - i)
            length += 1
            if length == len(keys):
                _keep_best(keys, length, m)
                length, bound = m, np.int32(keys[:m].min() >> 32)
    return length


@kernel
def _best_allowed(row: Ordinals, allowed: Mask, m: int, keys: Int64s) -> int:
    """Do as `_best_listed` with the items that `allowed` says, passing over blocks without a good one."""
    length, bound = 0, np.int32(0)
    for begin in range(0, len(row), _BLOCK):
        end = min(begin + _BLOCK, len(row))
        best = np.int32(0)
        for i in range(begin, end):
            best = max(best, row[i])
        if best <= bound:
            continue
        for i in range(begin, end):
            if row[i] > bound and allowed[i]:
                keys[length] = (np.int64(row[i]) << 32) | (0xFFFFFFFF - i)
                length += 1
                if length == len(keys):
                    _keep_best(keys, length, m)
                    length, bound = m, np.int32(keys[:m].min() >> 32)
    return length


@kernel
def propose(
    dense: Floats, allowed: Mask, among: Ordinals, m: int, seen: Mask, chosen: Ordinals, counts: Int64s
) -> int:
    """Write the `m` best allowed items of every source s to `chosen[s, :counts[s]]`; return the union's size.

    A source proposes only what it has reason for: scores above 0. Of equal scores the lower ordinal comes
    first. `dense` [n_sources, n_items], `seen` bool [≥ n_items] becomes true for what is proposed. Where
    `among` is not empty it lists the allowed items. One pass per source: a buffer collects what exceeds the
    m-th best so far, and is cut down to the best m whenever it is full.
    """
    bits = dense.view(np.int32)  # positive floats are ordered as their bit patterns are
    keys = np.empty(2 * m, np.int64)
    united = 0
    for s in range(len(bits)):
        row = bits[s]
        length = _best_listed(row, among, m, keys) if len(among) else _best_allowed(row, allowed, m, keys)
        if length > m:
            _keep_best(keys, length, m)
            length = m
        counts[s] = length
        for place in range(length):
            item = 0xFFFFFFFF - (keys[place] & 0xFFFFFFFF)
            chosen[s, place] = item
            if not seen[item]:
                seen[item] = True
                united += 1
    return united


@kernel
def collect(
    dense: Floats, seen: Mask, chosen: Ordinals, counts: Int64s, united: int
) -> tuple[Ordinals, Floats, Ordinals]:
    """Return the `united` seen items by ordinal, their scores and by which sources they were proposed.

    int32 [united], float32 and int32 [n_sources, united]. `seen` has a multiple of eight entries.
    """
    n_sources = len(dense)
    item = np.empty(united, np.int32)
    score = np.empty((n_sources, united), np.float32)
    proposed = np.zeros((n_sources, united), np.int32)
    place_of = np.empty(len(seen), np.int32)
    place = 0
    for word, some in enumerate(seen.view(np.uint64)):
        if some:
            for i in range(word * _WORD, word * _WORD + _WORD):
                if seen[i]:
                    item[place], place_of[i] = i, place
                    place += 1
    for s in range(n_sources):
        for place in range(united):
            score[s, place] = dense[s, item[place]]
        for place in range(counts[s]):
            proposed[s, place_of[chosen[s, place]]] = 1
    return item, score, proposed


def best_of(scores: Floats, allowed: Mask, count: int) -> Ordinals:
    """Return the `count` allowed items of the highest positive scores, by ordinal, int32."""
    chosen, counts = np.empty((1, count), np.int32), np.zeros(1, np.int64)
    propose(scores[None, :], allowed, EVERYWHERE, count, np.zeros(len(scores), np.bool_), chosen, counts)
    return np.sort(chosen[0, : counts[0]])
