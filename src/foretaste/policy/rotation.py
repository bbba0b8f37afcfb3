"""Rotation: a category comes again only after the others had their turn."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from foretaste.domain.arrays import Int64s, Ordinals


def rotate(order: Int64s, category: Ordinals, count: int) -> Int64s:
    """Return `count` positions of `order`, its categories taking turns.

    `order` lists positions of the pool, best first; `category[position]` is an item's main category, -1 for
    none (items without one take turns with each other like one category). The law: no item is
    placed while another category with items left in `order` has been placed less often. Among the
    categories whose turn it is, the earliest in `order` comes first. `order` is the pool: how far down
    relevance the rule may reach is decided by its length.
    """
    left = [int(position) for position in order]
    waiting = Counter(int(category[position]) for position in left)
    placed: Counter[int] = Counter()
    chosen: list[int] = []
    while left and len(chosen) < count:
        fewest = min(placed[code] for code, items in waiting.items() if items)
        place = _first_of(left, category, placed, fewest)
        position = left.pop(place)
        code = int(category[position])
        waiting[code] -= 1
        placed[code] += 1
        chosen.append(position)
    return np.array(chosen, np.int64)


def _first_of(left: Sequence[int], category: Ordinals, placed: Counter[int], fewest: int) -> int:
    return next(place for place, position in enumerate(left) if placed[int(category[position])] == fewest)
