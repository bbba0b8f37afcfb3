"""What lists are like besides being right: how wide, how new, how varied, how personal.

`lists` int32 [n, places] holds item ordinals best first, -1 on empty places.
"""

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals


def coverage(lists: Ordinals, n_items: int) -> float:
    """Return the share of the `n_items` items there are that stand in any of the lists."""
    return len(np.unique(lists[lists >= 0])) / n_items if n_items else 0.0


def novelty(lists: Ordinals, owners: Int64s, n_users: int) -> Doubles:
    """Return each list's mean self-information in bits, -log2(owners / users); float64 [n], 0 if empty.

    `owners` int64 [n_items] is how many of `n_users` people had each item; nobody counts as one. Zhou et
    al. 2010, "Solving the apparent diversity-accuracy dilemma of recommender systems".
    """
    bits = np.log2(max(n_users, 1)) - np.log2(np.clip(owners, 1, max(n_users, 1)))
    return _mean_over_places(np.append(bits, 0.0)[lists], lists)


def intra_list_diversity(lists: Ordinals, vectors: Floats) -> Doubles:
    """Return each list's mean cosine distance between two different places; float64 [n], 0 below two items.

    `vectors` float32 [n_items, dim] have unit length, or are zero where nothing is known (then the
    distance to all others is 1). Ziegler et al. 2005, there as similarity.
    """
    rows = np.concatenate([vectors, np.zeros((1, vectors.shape[1]), np.float32)]).astype(np.float64)[lists]
    count = (lists >= 0).sum(axis=1)
    alike = (rows.sum(axis=1) ** 2).sum(axis=1) - (rows**2).sum(axis=(1, 2))
    pairs = count * (count - 1)
    result = np.zeros(len(lists))
    np.divide(pairs - alike, pairs, out=result, where=pairs > 0)
    return result


def own_list_share(lists: Ordinals) -> float:
    """Return the share of lists whose set of items no other list has; the order does not count."""
    if not len(lists):
        return 0.0
    _, counts = np.unique(np.sort(lists, axis=1), axis=0, return_counts=True)
    return float((counts == 1).sum() / len(lists))


def gini(lists: Ordinals, n_items: int) -> float:
    """Return how unequally places are dealt out to the items: 0 all alike, towards 1 all to one.

    The Gini coefficient of the items' counts x: Σ (2 i - n - 1) x_i / (n Σ x), x rising, i from 1 to n.
    """
    counts = np.sort(np.bincount(lists[lists >= 0], minlength=n_items)).astype(np.float64)
    if not counts.sum():
        return 0.0
    rank = 2.0 * np.arange(1, n_items + 1) - n_items - 1
    return float((rank * counts).sum() / (n_items * counts.sum()))


def _mean_over_places(values: Doubles, lists: Ordinals) -> Doubles:
    filled = lists >= 0
    count = filled.sum(axis=1)
    result = np.zeros(len(lists))
    np.divide((values * filled).sum(axis=1), count, out=result, where=count > 0)
    return result
