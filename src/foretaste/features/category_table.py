"""Categories of all items as one compressed sparse table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from foretaste.domain.arrays import Int64s, Mask, Ordinals

_LOOKED_THROUGH = 2
"""To answer so many questions, looking all items through is faster than turning the table round."""


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
    _turned: list[tuple[Int64s, Ordinals]] = field(default_factory=list)
    _asked: list[None] = field(default_factory=list)

    @property
    def n_items(self) -> int:
        """How many items the table covers."""
        return len(self.start) - 1

    def having(self, names: Sequence[str]) -> Mask:
        """Return which items have at least one of the categories `names`, bool [n_items]."""
        known = [self.codes.get(name, -1) for name in names]
        wanted = [code for code in known if 0 <= code < len(self.names)]
        if len(self._asked) < _LOOKED_THROUGH:
            self._asked.append(None)
            return self._looked_through(wanted)
        mask = np.zeros(self.n_items, np.bool_)
        start, item = self._members()
        for code in wanted:
            mask[item[start[code] : start[code + 1]]] = True
        return mask

    def listed(self, items: Ordinals) -> tuple[Int64s, Ordinals]:
        """Return one row per category of each of `items`: the place of the item among them, and the code.

        int64 and int32; items beyond the table have no category.
        """
        rows = np.flatnonzero(items < self.n_items)
        start = self.start[items[rows]]
        kinds = self.start[items[rows] + 1] - start
        owner = np.repeat(rows, kinds)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(kinds) - kinds, kinds)
        return owner, self.code[np.repeat(start, kinds) + within]

    def _looked_through(self, wanted: Sequence[int]) -> Mask:
        """Return the same by a look at every item's categories."""
        mask = self.main >= 0
        if wanted and mask.any():
            among = np.zeros(len(self.names), np.bool_)
            among[wanted] = True
            mask[mask] = np.logical_or.reduceat(among[self.code], self.start[:-1][mask])
            return mask
        return np.zeros(self.n_items, np.bool_)

    def replaced(self, n_items: int, changes: Mapping[int, Sequence[str]]) -> "CategoryTable":
        """Return a table of `n_items` (not fewer than now) in which the items of `changes` have new lists."""
        codes, rising = dict(self.codes), sorted(changes)
        lengths = np.zeros(n_items, np.int64)
        lengths[: self.n_items] = np.diff(self.start)
        here = self.start[np.minimum(rising, self.n_items)].tolist() if rising else []
        pieces: list[Ordinals] = []
        replacing: list[int] = []
        copied = 0
        for item, begin, length in zip(rising, here, lengths[rising].tolist(), strict=True):
            if begin > copied:
                pieces += [np.array(replacing, np.int32), self.code[copied:begin]]
                replacing = []
            replacing += [codes.setdefault(name, len(codes)) for name in changes[item]]
            copied = begin + length
        lengths[rising] = [len(changes[item]) for item in rising]
        code = np.concatenate([*pieces, np.array(replacing, np.int32), self.code[copied:]])
        return _table(codes, np.concatenate(([0], np.cumsum(lengths))), code)

    def _members(self) -> tuple[Int64s, Ordinals]:
        """Return the table turned round: category c has the items `item[start[c]:start[c + 1]]`."""
        if not self._turned:
            owner = np.repeat(np.arange(self.n_items, dtype=np.int32), np.diff(self.start))
            ends = np.cumsum(np.bincount(self.code, minlength=len(self.names)))
            self._turned.append((np.concatenate(([0], ends)), owner[np.argsort(self.code, kind="stable")]))
        return self._turned[0]


def _table(codes: dict[str, int], start: Int64s, code: Ordinals) -> CategoryTable:
    main = np.full(len(start) - 1, -1, np.int32)
    filled = np.flatnonzero(np.diff(start))
    main[filled] = code[start[filled]]
    return CategoryTable(names=tuple(codes), codes=codes, start=start, code=code, main=main)


def no_categories() -> CategoryTable:
    """Return the table of no items."""
    return _table({}, np.zeros(1, np.int64), np.empty(0, np.int32))


def single_values(codes: Mapping[str, int], code: Ordinals) -> CategoryTable:
    """Return the table of items that have one value each: `code` int32 [n_items], -1 for none."""
    start = np.concatenate(([0], np.cumsum(code >= 0)))
    return CategoryTable(names=tuple(codes), codes=codes, start=start, code=code[code >= 0], main=code)
