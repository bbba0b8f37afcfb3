"""What lists are like besides being right: how wide, how new, how varied, how personal.

`lists` int32 [n, places] holds item ordinals best first, -1 on empty places.
"""

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask, Ordinals

_CHUNK = 1024


def coverage(lists: Ordinals, n_items: int) -> float:
    """Return |union of the lists| / `n_items`: the share of all items that stand in any of the lists.

    Ge et al. 2010, "Beyond accuracy: evaluating recommender systems by coverage and serendipity" (catalog
    coverage).
    """
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
    distance to all others is 1). The mean over ordered pairs i ≠ j of 1 - v_i · v_j. Ziegler et al. 2005,
    "Improving recommendation lists through topic diversification", there as similarity.
    """
    padded = np.concatenate([vectors, np.zeros((1, vectors.shape[1]), vectors.dtype)])
    result = np.zeros(len(lists))
    for begin in range(0, len(lists), _CHUNK):
        part = lists[begin : begin + _CHUNK]
        rows = padded[part].astype(np.float64)
        count = (part >= 0).sum(axis=1)
        alike = (rows.sum(axis=1) ** 2).sum(axis=1) - (rows**2).sum(axis=(1, 2))
        pairs = count * (count - 1)
        apart = np.maximum(pairs - alike, 0.0)  # of vectors whose length is 1 but for rounding
        np.divide(apart, pairs, out=result[begin : begin + _CHUNK], where=pairs > 0)
    return result


def own_list_share(lists: Ordinals) -> float:
    """Return the share of lists whose set of items no other list has; the order does not count."""
    if not len(lists):
        return 0.0
    _, counts = np.unique(np.sort(lists, axis=1), axis=0, return_counts=True)
    return float((counts == 1).sum() / len(lists))


def serendipity(lists: Ordinals, hits: Mask, expected: Ordinals) -> Doubles:
    """Return the share of each list's places whose item is wanted and was not to be expected; float64 [n].

    |(list without expected) ∩ wanted| / places. `hits` bool like `lists` says which items are wanted,
    `expected` int32 [n, m] what a plain recommender lists for the same question, -1 on empty places: here
    the most popular. Ge et al. 2010, "Beyond accuracy: evaluating recommender systems by coverage and
    serendipity".
    """
    known = (lists[:, :, np.newaxis] == expected[:, np.newaxis, :]).any(axis=2)
    return np.asarray((hits & ~known & (lists >= 0)).sum(axis=1) / max(lists.shape[1], 1), np.float64)


def _mean_over_places(values: Doubles, lists: Ordinals) -> Doubles:
    filled = lists >= 0
    count = filled.sum(axis=1)
    result = np.zeros(len(lists))
    np.divide((values * filled).sum(axis=1), count, out=result, where=count > 0)
    return result
