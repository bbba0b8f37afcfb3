"""The boost: what belongs to the categories of the last hour's events counts a little more."""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Doubles, Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.kernel import kernel
from foretaste.features.category_table import CategoryTable


@dataclass(frozen=True, slots=True, eq=False)
class Interest:
    """How a person's recent events are spread over categories.

    `first` is the position in the history of the first recent event. `part` float64 [n_categories]: an
    event's share of the recent positive weight, divided evenly among its categories, summed; so an item's
    boost, the sum over its categories, lies in [0, 1].
    """

    first: int
    total: float
    part: Doubles


def recent_interest(history: History, categories: CategoryTable, now: int, seconds: float) -> Interest | None:
    """Return the interest of the `seconds` before `now`; None without positive events in them."""
    since = now - int(seconds * MICROS_PER_SECOND)
    if seconds <= 0.0 or not len(history) or history.time[-1] <= since or not categories.names:
        return None
    first = int(history.time.searchsorted(since, side="right"))
    part = np.zeros(len(categories.names))
    total = _spread_over(history.item, history.weight, first, categories.start, categories.code, part)
    return Interest(first, total, part) if total > 0.0 else None


@kernel
def _spread_over(
    items: Ordinals, weight: Floats, since: int, start: Int64s, code: Ordinals, part: Doubles
) -> float:
    total = 0.0
    for h in range(since, len(items)):
        if weight[h] <= 0.0:
            continue
        total += weight[h]
        if items[h] >= len(start) - 1:
            continue
        first, end = start[items[h]], start[items[h] + 1]
        for place in range(first, end):
            part[code[place]] += weight[h] / (end - first)
    for c in range(len(part)):
        part[c] = part[c] / total if total > 0.0 else 0.0
    return total


def boosts(interest: Interest, categories: CategoryTable, items: Ordinals) -> Floats:
    """Return the boost of each of `items`, float32 in [0, 1]; nobody is interested in younger categories."""
    boost, part = np.zeros(len(items), np.float32), interest.part
    if len(part) < len(categories.names):
        part = np.concatenate((part, np.zeros(len(categories.names) - len(part))))
    sum_over(part, categories.start, categories.code, items, boost)
    return boost


@kernel
def sum_over(part: Doubles, start: Int64s, code: Ordinals, items: Ordinals, boost: Floats) -> None:
    """Write the boost of each of `items` over zeros, float32 in [0, 1]."""
    for i in range(len(items)):
        if items[i] < len(start) - 1:
            total = 0.0
            for place in range(start[items[i]], start[items[i] + 1]):
                total += part[code[place]]
            boost[i] = min(total, 1.0)


def boost_shares(interest: Interest, categories: CategoryTable, history: History, items: Ordinals) -> Floats:
    """Return what each history event adds to the boost of each item, float32 [len(items), len(history)]."""
    shares = np.zeros((len(items), len(history)), np.float32)
    table, first = (categories.start, categories.code), interest.first
    _find_shares(history.item, history.weight, first, interest.total, *table, items, shares)
    return shares


@kernel
def _find_shares(
    event: Ordinals,
    weight: Floats,
    since: int,
    total: float,
    start: Int64s,
    code: Ordinals,
    items: Ordinals,
    shares: Floats,
) -> None:
    """Write an event's share of the weight, times the part of its categories that the item has too."""
    n_items = len(start) - 1
    for h in range(since, len(event)):
        if weight[h] <= 0.0 or event[h] >= n_items:
            continue
        first, end = start[event[h]], start[event[h] + 1]
        for k in range(len(items)):
            common = 0
            if items[k] < n_items:
                for place in range(first, end):
                    for other in range(start[items[k]], start[items[k] + 1]):
                        common += code[place] == code[other]
            if common:
                shares[k, h] = weight[h] / total * (common / (end - first))
