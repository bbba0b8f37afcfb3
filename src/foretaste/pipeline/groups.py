"""The groups that rules speak of, among given items."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Int64s, Mask, Ordinals
from foretaste.domain.query import Query
from foretaste.domain.slate_rules import Quota
from foretaste.features.expressions.columns import Columns
from foretaste.features.expressions.compiled import compiled_filter
from foretaste.features.expressions.limits import WIDEST
from foretaste.pipeline.conditions import asked_of
from foretaste.pipeline.view import View
from foretaste.policy.arrangement import NO_LIMIT

Matching = Callable[[str], Mask]
"""Which of some items an expression is true of."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of n items: row by row `owner`, the place of an item, rising, and a `group` that it is in.

    int64 both; `at_least` and `at_most` int64 [groups]; `quota` int64 [groups] says which quota each is of.
    """

    n: int
    owner: Int64s
    group: Int64s
    at_least: Int64s
    at_most: Int64s
    quota: Int64s

    @property
    def start(self) -> Int64s:
        """Where the rows of each item begin, then where the last end, int64 [n + 1]."""
        return np.concatenate(([0], np.cumsum(np.bincount(self.owner, minlength=self.n))))


def matching_of(query: Query, view: View, items: Ordinals) -> Matching:
    """Return what says of `items` which of them an expression is true of; arrays may be shared."""
    columns, asked = Columns(view.catalog, len(items), items), asked_of(query, view)
    return lambda text: compiled_filter(text, WIDEST).where(columns, asked)


def matching_everywhere(query: Query, view: View, n_items: int) -> Matching:
    """Return the same for all items with ordinals below `n_items`."""
    columns, asked = Columns(view.catalog, n_items), asked_of(query, view)
    return lambda text: compiled_filter(text, WIDEST).where(columns, asked)


def groups_of(quotas: Sequence[Quota], view: View, items: Ordinals, matching: Matching) -> Groups:
    """Return the groups of quotas among `items`: one for each `filter` and each value of an `each`."""
    owners: list[Int64s] = []
    groups: list[Int64s] = []
    counts: list[int] = []
    for quota in quotas:
        owner, group, count = _in_groups(quota, view, items, matching)
        owners.append(owner)
        groups.append(group + sum(counts))
        counts.append(count)
    owner, group = _joined(owners), _joined(groups)
    order = np.argsort(owner, kind="stable")
    each = np.array(counts, np.int64)
    least = np.array([quota.at_least for quota in quotas], np.int64)
    most = np.array([limit_of(quota) for quota in quotas], np.int64)
    return Groups(
        n=len(items),
        owner=owner[order],
        group=group[order],
        at_least=np.repeat(least, each),
        at_most=np.repeat(most, each),
        quota=np.repeat(np.arange(len(each)), each),
    )


def limit_of(quota: Quota) -> int:
    """Return how many places a group of the quota has at most."""
    return NO_LIMIT if quota.at_most is None else quota.at_most


def _in_groups(quota: Quota, view: View, items: Ordinals, matching: Matching) -> tuple[Int64s, Int64s, int]:
    """Return places of items, the groups of the quota that they are in, and how many groups there are."""
    if quota.each is None:
        owner = np.flatnonzero(matching(quota.filter or ""))
        return owner, np.zeros(len(owner), np.int64), 1
    table = view.catalog.grouped(quota.each)
    if table is None:
        return np.empty(0, np.int64), np.empty(0, np.int64), 0
    owner, code = table.listed(items)
    values, group = np.unique(code, return_inverse=True)
    return owner, group, len(values)


def _joined(parts: Sequence[Int64s]) -> Int64s:
    return np.concatenate([np.empty(0, np.int64), *parts])
