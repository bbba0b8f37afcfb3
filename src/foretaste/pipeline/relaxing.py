"""Which rules a slate does not keep, in words."""

from collections.abc import Iterator

import numpy as np

from foretaste.domain.arrays import Ordinals
from foretaste.domain.query import Query
from foretaste.domain.slate import Relaxed
from foretaste.domain.slate_rules import Quota, Slot
from foretaste.pipeline.groups import Matching, matching_of
from foretaste.pipeline.resting import resting
from foretaste.pipeline.scoring import Scored
from foretaste.pipeline.view import View

_LISTED = 3
"""So many values are named of those that a rule for each of them is not kept for."""


def relaxed(query: Query, view: View, found: Scored, items: Ordinals) -> tuple[Relaxed, ...]:
    """Return the rules of `query` that a slate of `items`, in their order, does not keep.

    Rules are called by their place: those of the request come first, then those of the scenario.
    """
    rules = query.rules
    if rules is None:
        return ()
    matching = matching_of(query, view, items)
    said = [(f"slots[{at}]", _slot(slot, view, items, matching)) for at, slot in enumerate(rules.slots)]
    for at, quota in enumerate(rules.quotas):
        if quota.each is None:
            told = _filtered(quota, matching)
        else:
            told = _each(quota, quota.each, view, found, items)
        said += [(f"quotas[{at}]", reason) for reason in told]
    pinned = [view.named.get(name, -1) for name in rules.item_ids]
    rests = np.isin(items, resting(rules.rest, view, query.now)) & ~np.isin(items, pinned)
    tired = int(np.count_nonzero(rests))
    if tired:
        said.append(("rest", f"{_items(tired)} should rest, but there is nothing else to show"))
    return tuple(Relaxed(rule=rule, reason=reason) for rule, reason in said if reason)


def _slot(slot: Slot, view: View, items: Ordinals, matching: Matching) -> str:
    place = slot.place - 1 - len(view.shown)
    if not 0 <= place < len(items):
        return "" if place < 0 else f"there are only {_items(len(items))} to show"
    if slot.item_id is not None:
        item = view.named.get(slot.item_id, -1)
        kept = items[place] == item or item in view.shown
        return "" if kept else f"item {slot.item_id!r} is unknown, or may not be shown here"
    return "" if matching(slot.filter or "")[place] else "nothing that matches may be shown here"


def _filtered(quota: Quota, matching: Matching) -> Iterator[str]:
    count = int(np.count_nonzero(matching(quota.filter or "")))
    if quota.at_most is not None and count > quota.at_most:
        yield f"{_items(count)}, more than {quota.at_most}"
    if count < quota.at_least:
        yield f"{_items(count)}, fewer than {quota.at_least}"


def _each(quota: Quota, attribute: str, view: View, found: Scored, items: Ordinals) -> Iterator[str]:
    table = view.catalog.grouped(attribute)
    if table is None:
        return
    counts = np.bincount(table.listed(items)[1], minlength=len(table.names))
    if quota.at_most is not None:
        over = np.flatnonzero(counts > quota.at_most)
        if len(over):
            yield f"more than {quota.at_most} of {_named([table.names[code] for code in over])}"
    if quota.at_least:
        there = np.zeros(len(table.names), np.bool_)
        there[table.listed(np.flatnonzero(found.occasion.allowed).astype(np.int32))[1]] = True
        under = np.flatnonzero(there & (counts < quota.at_least))
        if len(under):
            yield f"fewer than {quota.at_least} of {_named([table.names[code] for code in under])}"


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def _named(values: list[str]) -> str:
    more = len(values) - _LISTED
    return ", ".join(map(repr, values[:_LISTED])) + (f" and {more} more" if more > 0 else "")
