"""The rows most alike to others by words and dense features: exact, though most are looked at roughly only.

A product of matrices tells all cosines of dense features within a bound on its rounding. Only rows that may
be among the most alike by that are reckoned with anew, every sum in one fixed order: so what is found, and
how alike it is, does not depend on what else is asked at the same time, bit for bit.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.models.item_features import Described
from foretaste.models.sorting import mth_largest

AT_ONCE = 128
"""The cosines of so many rows are at hand at a time."""
GROUPS, LOOKED_AT = 128, 32
"""Rows are looked through in so many groups, then so many at a time."""
_MORE = 8
"""Added to the number of products in a bound: for the steps after them."""
_Lists = tuple[Int64s, Ordinals, Floats]
"""Where each list starts, and what is in it: the other number, and a weight."""


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """Rows that others are compared with: their words, term by term, and their dense features."""

    start: Int64s
    row: Ordinals
    weight: Floats
    dense: Floats

    @classmethod
    def among(cls, about: Described) -> "Nearest":
        """Lay out what the rows are about."""
        by_term = about.words.tocsc()
        return cls(
            by_term.indptr.astype(np.int64),
            by_term.indices.astype(np.int32),
            by_term.data.astype(np.float32),
            np.ascontiguousarray(about.dense, np.float32),
        )

    def of(
        self, about: Described, words: float, most: int, kept: dict[Any, Any] | None = None
    ) -> tuple[Int64s, Floats]:
        """Return the rows most alike to each one of `about`, int64 [n, most], rising, and how alike they are.

        How alike two rows are is the cosine of their words times `words` and that of their dense features
        times the rest; only rows alike by more than 0 are named, of equals the first. Where there are fewer,
        zeros follow. In `kept` stays what serves who asks about the same with another share of words.
        """
        kept = {} if kept is None else kept
        n, shares = len(about.dense), (np.float32(words), np.float32(1.0 - words))
        rows = np.ascontiguousarray(about.dense, np.float32)
        slack = np.float32((rows.shape[1] + _MORE) * np.finfo(np.float32).eps)
        nearest, alike = np.zeros((n, most), np.int64), np.zeros((n, most), np.float32)
        entries = (about.words.indptr.astype(np.int64), about.words.indices, about.words.data)
        listed = (self.start, self.row, self.weight)
        cosine = np.zeros((min(n, AT_ONCE), len(self.dense)), np.float32)
        for begin in range(0, n, AT_ONCE):
            part = rows[begin : begin + AT_ONCE]
            if words < 1.0:
                cosine = self._cosines(part, (self, about), begin, kept)
            _find(entries, listed, cosine, *shares, part, self.dense, begin, slack, nearest, alike)
        return nearest, alike

    def _cosines(self, rows: Floats, asked: Hashable, begin: int, kept: dict[Any, Any]) -> Floats:
        """Return the cosines of dense features, from row `begin` on of what is `asked`; the latest stay."""
        first, cosine = kept.get(asked, (-1, None))
        if cosine is None:
            cosine = np.empty((len(rows), len(self.dense)), np.float32)
        if first != begin:
            np.matmul(rows, self.dense.T, out=cosine[: len(rows)])
            kept[asked] = begin, cosine
        return np.asarray(cosine)


@kernel
def _find(
    entries: _Lists,
    listed: _Lists,
    cosine: Floats,
    words: np.float32,
    rest: np.float32,
    rows: Floats,
    others: Floats,
    begin: int,
    slack: np.float32,
    nearest: Int64s,
    alike: Floats,
) -> None:
    """Write the nearest of rows from `begin` on and how alike they are; see `Nearest.of`.

    `cosine` is that of the dense features, right within `slack`, so what is summed up anew is too.
    """
    most, width = nearest.shape[1], len(others)
    by_words, about = np.empty(width, np.float32), np.empty(width, np.float32)
    place, value = np.empty(width, np.int64), np.empty(width, np.float32)
    groups = np.empty(max(GROUPS, most), np.float32)
    for i in range(len(rows)):
        by_words[:] = np.float32(0.0)
        if words > np.float32(0.0):
            _add_cosines(entries, begin + i, listed, by_words)
        for k in range(width):
            about[k] = words * by_words[k] + rest * cosine[i, k]
        is_rough = rest > np.float32(0.0) and rows[i].any()
        n = _likely(about, groups, most, slack if is_rough else np.float32(0.0), place)
        _reckon(by_words, words, rest, rows[i], others, place[:n], value[:n])
        keep_largest(place[:n], value[:n], nearest[begin + i], alike[begin + i])


@kernel
def _add_cosines(entries: _Lists, i: int, listed: _Lists, cosine: Floats) -> None:
    """Add the inner products of row i of `entries` with all that are listed by term, by rising terms."""
    start, term, weight = entries
    by_term, row, other = listed
    for place in range(start[i], start[i + 1]):
        for k in range(by_term[term[place]], by_term[term[place] + 1]):
            cosine[row[k]] += weight[place] * other[k]


@kernel
def keep_largest(item: Int64s | Ordinals, value: Floats, kept: Int64s | Ordinals, weight: Floats) -> None:
    """Write the items with the largest values above 0, and these, in their order; of equals the first.

    There is room for `len(kept)` of them; what is not needed stays as it is.
    """
    n, most, least, at = len(item), len(kept), np.float32(0.0), 0
    equals = most
    if n > most:
        least = max(least, mth_largest(value, most))
        for k in range(n):
            if value[k] > least:
                equals -= 1
    for k in range(n):
        if value[k] == least and equals > 0 and least > np.float32(0.0):
            equals -= 1
        elif value[k] <= least:
            continue
        kept[at], weight[at] = item[k], value[k]
        at += 1


@kernel
def _likely(about: Floats, groups: Floats, most: int, slack: np.float32, place: Int64s) -> int:
    """Write the places that may be among the `most` alike to `place`, rising; return how many.

    As many groups as `most` have one at least as alike as the best of the last of them: so has the whole.
    """
    width, n_groups, n, begin = len(about), len(groups), 0, 0
    groups[:] = -np.inf
    while begin < width:
        for g in range(min(n_groups, width - begin)):
            groups[g] = max(groups[g], about[begin + g])
        begin += n_groups
    least = mth_largest(groups, most)
    enough = max(-slack, np.nextafter(least - np.float32(2.0) * slack, np.float32(-np.inf)))
    for begin in range(0, width, LOOKED_AT):
        part, some = about[begin : begin + LOOKED_AT], np.int32(0)
        for k in range(len(part)):
            some += np.int32(part[k] > enough)
        if some:
            for k in range(len(part)):  # no branch, which would be guessed wrong at most that are likely
                place[n] = begin + k
                n += part[k] > enough
    return n


@kernel
def _reckon(
    by_words: Floats,
    words: np.float32,
    rest: np.float32,
    row: Floats,
    others: Floats,
    place: Int64s,
    value: Floats,
) -> None:
    """Write how alike the rows at `place` are, each sum in the order of the columns; four at a time."""
    n = len(place)
    for k in range(0, n, 4):
        a, b = others[place[k]], others[place[min(k + 1, n - 1)]]
        c, d = others[place[min(k + 2, n - 1)]], others[place[min(k + 3, n - 1)]]
        one = two = three = four = np.float32(0.0)
        if rest > np.float32(0.0):
            for column in range(len(row)):
                one += row[column] * a[column]
                two += row[column] * b[column]
                three += row[column] * c[column]
                four += row[column] * d[column]
        found = (one, two, three, four)
        for offset in range(min(4, n - k)):
            cosine = np.float32(words * by_words[place[k + offset]])
            value[k + offset] = cosine + np.float32(rest * found[offset])
