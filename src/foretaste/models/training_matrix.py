"""Interactions as a sparse matrix of strengths: what the batch learners are fitted on."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Int64s, Mask, Ordinals
from foretaste.domain.interactions import Interactions


def totals(interactions: Interactions) -> sparse.csr_matrix:
    """Return float64 [n_users, n_items]: a user's weights for an item, added up, if positive."""
    shape = (interactions.n_users, interactions.n_items)
    entries = (interactions.weight.astype(np.float64), (interactions.user, interactions.item))
    total = sparse.csr_matrix(entries, shape=shape)
    total.sum_duplicates()
    total.data[total.data <= 0.0] = 0.0
    total.eliminate_zeros()
    return total


def strengths(interactions: Interactions, power: float = 0.5) -> sparse.csr_matrix:
    """Return float32 [n_users, n_items]: how strongly a user has taken to an item, on average 1.

    `totals` raised to `power`, since the tenth view says less than the first (0 gives plain ones), and
    divided by the mean, so that hyper-parameters mean the same on any scale of weights.
    """
    strength = totals(interactions)
    strength.data = strength.data**power
    if strength.nnz:
        strength.data /= strength.data.mean()
    return strength.astype(np.float32)


def live_scale(interactions: Interactions) -> float:
    """Return the number that makes the weight of a usual live event 1: one over the mean of `totals`."""
    total = totals(interactions)
    return 1.0 / float(total.data.mean()) if total.nnz else 1.0


def in_windows(interactions: Interactions, size: int | None) -> Interactions:
    """Return the interactions with every history cut into windows of `size`, each a person of its own.

    So what is near in a history goes together more than what is far apart. Histories are cut twice, the
    second time half a window earlier, that no neighbours are always parted: every interaction is there
    twice. Without times, with `size` None or with no history longer than that, nothing is cut.
    """
    order = np.argsort(interactions.user, kind="stable")
    _, start, length = np.unique(interactions.user[order], return_index=True, return_counts=True)
    if not interactions.timed or size is None or not (length > size).any():
        return interactions
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(start, length)
    most = 2 * (1 + (int(length.max()) + size) // size)
    window = np.stack([2 * (rank // size), 2 * ((rank + size // 2) // size) + 1], axis=1)
    cut, person = np.unique(interactions.user[:, np.newaxis] * np.int64(most) + window, return_inverse=True)
    twice = np.repeat(np.arange(len(order)), 2)
    return replace(
        interactions,
        user=person.ravel().astype(np.int32),
        item=interactions.item[twice],
        weight=interactions.weight[twice],
        time=interactions.time[twice],
        n_users=len(cut),
    )


def with_users_up_to(interactions: Interactions, count: int, seed: int) -> Interactions:
    """Return all interactions of so many users, drawn by `seed`, that there are at most about `count`."""
    if len(interactions) <= count:
        return interactions
    users = np.random.default_rng(seed).permutation(interactions.n_users)
    many = np.bincount(interactions.user, minlength=interactions.n_users)
    chosen = np.zeros(interactions.n_users, np.bool_)
    chosen[users[: int(np.searchsorted(np.cumsum(many[users]), count)) + 1]] = True
    return part(interactions, chosen[interactions.user])


def longest_within(lengths: Int64s, pairs: int) -> int | None:
    """Return the length at which histories are to be cut so that they hold at most so many `pairs` in all.

    Their pairs are counted as the squares of their `lengths`, int64. None where nothing is to be cut.
    """
    counts = np.bincount(lengths)
    each = np.arange(len(counts), dtype=np.float64)
    longer = np.cumsum(counts[::-1])[::-1] - counts
    total = np.cumsum(counts * each**2) + longer * each**2
    return None if total[-1] <= pairs else max(1, int(np.searchsorted(total, pairs, side="right")) - 1)


def with_histories_up_to(interactions: Interactions, longest: int, seed: int) -> Interactions:
    """Return the interactions with only the last `longest` of each user's; without times, some by lot."""
    n = len(interactions)
    shuffled = np.arange(n) if interactions.timed else np.random.default_rng(seed).permutation(n)
    order = shuffled[np.argsort(interactions.user[shuffled], kind="stable")]
    ends = np.cumsum(np.bincount(interactions.user, minlength=interactions.n_users))
    to_come = ends[interactions.user[order]] - np.arange(n)
    kept = np.zeros(n, np.bool_)
    kept[order[to_come <= longest]] = True
    return part(interactions, kept)


def with_items_up_to(interactions: Interactions, count: int) -> Interactions:
    """Return the interactions with the `count` most frequent items, these being numbered anew from 0."""
    frequency = np.bincount(interactions.item, minlength=interactions.n_items)
    chosen = np.sort(np.argsort(-frequency, kind="stable")[:count])
    number = np.full(interactions.n_items, -1, np.int32)
    number[chosen] = np.arange(len(chosen))
    kept = part(interactions, number[interactions.item] >= 0)
    return replace(kept, item=number[kept.item], n_items=len(chosen))


def last_of_each(user: Ordinals) -> Mask:
    """Return which interactions are the last one of their user, bool [len(user)]."""
    last = np.zeros(len(user), np.bool_)
    last[len(user) - 1 - np.unique(user[::-1], return_index=True)[1]] = True
    return last


def part(interactions: Interactions, rows: Mask | Int64s) -> Interactions:
    """Return the interactions at `rows`: where it is true, or in the order of the places it holds."""
    return replace(
        interactions,
        user=interactions.user[rows],
        item=interactions.item[rows],
        weight=interactions.weight[rows],
        time=interactions.time[rows],
    )
