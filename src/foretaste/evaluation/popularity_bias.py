"""Whom lists favour: the popular, or one group of items more than another.

`lists` int32 [n, places] holds item ordinals best first, -1 on empty places. `owners` int64 [n_items] is how
many of `n_users` people had each item before the lists were made.
"""

import numpy as np

from foretaste.domain.arrays import Doubles, Int64s, Ordinals
from foretaste.evaluation.profiles import Profiles


def gini(lists: Ordinals, n_items: int) -> float:
    """Return how unequally places are dealt out to the items: 0 all alike, towards 1 all to one.

    The Gini coefficient of the items' counts x: Σ (2 i - n - 1) x_i / (n Σ x), x rising, i from 1 to n.
    """
    counts = np.sort(np.bincount(lists[lists >= 0], minlength=n_items)).astype(np.float64)
    if not counts.sum():
        return 0.0
    rank = 2.0 * np.arange(1, n_items + 1) - n_items - 1
    return float((rank * counts).sum() / (n_items * counts.sum()))


def average_popularity(lists: Ordinals, owners: Int64s, n_users: int) -> Doubles:
    """Return each list's mean over its items of owners / n_users; float64 [n], 0 where a list is empty.

    Its mean over lists is the average recommendation popularity (ARP), in shares of all people. Yin et al.
    2012, "Challenging the long tail recommendation".
    """
    shares = owners / max(n_users, 1)
    filled = lists >= 0
    count = filled.sum(axis=1)
    result = np.zeros(len(lists))
    sums = (np.append(shares, 0.0)[lists] * filled).sum(axis=1)
    np.divide(sums, count, out=result, where=count > 0)
    return result


def profile_popularity(profiles: Profiles, owners: Int64s, n_users: int) -> Doubles:
    """Return the mean of owners / n_users over what each person had; float64 [n], 0 where that is nothing.

    The popularity lift of lists is mean(`average_popularity`) / mean(`profile_popularity`) - 1: by how much
    more popular than people's own choice it is what they are shown. Abdollahpouri et al. 2020, "The
    connection between popularity bias, calibration, and fairness in recommendation".
    """
    return profiles.mean_of(owners / max(n_users, 1))


def exposure_shares(lists: Ordinals, group: Ordinals, n_groups: int) -> Doubles:
    """Return which share of all attention each group of items gets; float64 [n_groups], of sum 1 or all 0.

    `group` int32 [n_items] is an item's group, -1 for none. A place has the attention 1 / log2(1 + place),
    places from 1, as in DCG. Singh and Joachims 2018, "Fairness of exposure in rankings".
    """
    attention = np.broadcast_to(1.0 / np.log2(np.arange(2, lists.shape[1] + 2)), lists.shape)
    of_place = np.append(group, -1)[lists]
    listed = of_place >= 0
    sums = np.bincount(of_place[listed], weights=attention[listed], minlength=n_groups)
    total = sums.sum()
    return np.asarray(sums / total if total else sums, np.float64)
