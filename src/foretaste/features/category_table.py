"""Categories of all items as one compressed sparse table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Int64s, Mask, Ordinals


@dataclass(frozen=True, slots=True, eq=False)
class CategoryTable:
    """Category codes per item: item i has `code[start[i]:start[i + 1]]`, its main category first.

    `start` int64 [n_items + 1], `code` int32. `main` int32 [n_items] is the main category, -1 where an
    item has none. `names` gives the name of a code. Codes follow first sight and differ between
    processes: what is stored or compared across processes are names.
    """

    names: tuple[str, ...]
    codes: Mapping[str, int]
    start: Int64s
    code: Ordinals
    main: Ordinals

    @property
    def n_items(self) -> int:
        """How many items the table covers."""
        return len(self.start) - 1

    def having(self, names: Sequence[str]) -> Mask:
        """Return which items have at least one of the categories `names`, bool [n_items]."""
        wanted = np.zeros(len(self.names), np.bool_)
        wanted[[self.codes[name] for name in names if name in self.codes]] = True
        hits = np.concatenate(([0], np.cumsum(wanted[self.code])))
        return np.asarray(hits[self.start[1:]] > hits[self.start[:-1]])

    def replaced(self, n_items: int, changes: Mapping[int, Sequence[str]]) -> "CategoryTable":
        """Return a table of `n_items` (not fewer than now) in which the items of `changes` have new lists."""
        codes = dict(self.codes)
        changed = np.array(sorted(changes), np.int64)
        lists = [[codes.setdefault(name, len(codes)) for name in changes[int(item)]] for item in changed]
        lengths = np.zeros(n_items, np.int64)
        lengths[: self.n_items] = np.diff(self.start)
        kept = np.ones(n_items, np.bool_)
        kept[changed] = False
        owner = np.repeat(np.arange(self.n_items), lengths[: self.n_items])
        lengths[changed] = [len(codes_of_item) for codes_of_item in lists]
        start = np.concatenate(([0], np.cumsum(lengths)))
        code = np.empty(start[-1], np.int32)
        old = np.flatnonzero(kept[owner])
        code[start[owner[old]] + old - self.start[owner[old]]] = self.code[old]
        for item, codes_of_item in zip(changed, lists, strict=True):
            code[start[item] : start[item + 1]] = codes_of_item
        return _table(codes, start, code)


def _table(codes: dict[str, int], start: Int64s, code: Ordinals) -> CategoryTable:
    main = np.full(len(start) - 1, -1, np.int32)
    filled = np.flatnonzero(np.diff(start))
    main[filled] = code[start[filled]]
    return CategoryTable(names=tuple(codes), codes=codes, start=start, code=code, main=main)


def no_categories() -> CategoryTable:
    """Return the table of no items."""
    return _table({}, np.zeros(1, np.int64), np.empty(0, np.int32))
