"""Candidates that rules call for, whether a source proposed them or not: what can be kept is kept."""

import math

import numpy as np

from foretaste.domain.arrays import Floats, Mask, Ordinals
from foretaste.domain.query import Query
from foretaste.domain.slate_rules import Quota, SlateRules
from foretaste.pipeline.groups import Matching, groups_of, matching_everywhere, matching_of
from foretaste.pipeline.occasion import Occasion
from foretaste.pipeline.view import NOTHING, View
from foretaste.policy.fill import best_of_each, first_within
from foretaste.policy.mix import own_mix
from foretaste.retrieval.masks import without
from foretaste.retrieval.selection import best_of

_SPARE = 3
"""So many times as many as a minimum asks for, as other rules may stand against some."""
_AT_ONCE, _WIDER = 8, 8
"""For a maximum so many times the places are looked through at first, and so much more each time after."""


def called_for(query: Query, view: View, occasion: Occasion, score: Floats) -> Ordinals:
    """Return the allowed items that the rules of `query` call for, by ordinal, each once.

    `score` float32 is by ordinal; the higher score, above 0, is the better. Called for are pinned items; the
    best of each group with a minimum, or with a place; the best that keep to all maxima; and the best of each
    kind in the person's own mix.
    """
    rules = query.rules
    if rules is None:
        return NOTHING
    everywhere, allowed = matching_everywhere(query, view, len(score)), occasion.allowed
    if len(view.shown):
        allowed = allowed.copy()
        without(allowed, view.shown)
    found = [pinned(rules, view, allowed)]
    for slot in rules.slots:
        if slot.filter is not None:
            place = min(slot.place, query.k)
            found.append(best_of(score, allowed & everywhere(slot.filter), place))
    found += [_of_minimum(quota, query.k, view, score, allowed, everywhere) for quota in rules.quotas]
    if any(quota.at_most is not None for quota in rules.quotas):
        found.append(_within_maxima(query, rules, view, score, allowed))
    if rules.own_mix:
        found.append(_of_own_mix(query.k, view, occasion, score, allowed))
    return np.unique(np.concatenate(found)).astype(np.int32)


def calls_by_score(rules: SlateRules | None) -> bool:
    """Return whether rules call for the best of something, rather than for nothing or for pinned items."""
    if rules is None:
        return False
    return bool(rules.quotas or rules.own_mix) or any(slot.filter is not None for slot in rules.slots)


def pinned(rules: SlateRules, view: View, allowed: Mask) -> Ordinals:
    """Return the pinned items that may be shown, by ordinal."""
    known = np.unique([view.named.get(name, -1) for name in rules.item_ids]).astype(np.int32)
    inside = known[(known >= 0) & (known < len(allowed))]
    return inside[allowed[inside]]


def _of_minimum(
    quota: Quota, places: int, view: View, score: Floats, allowed: Mask, everywhere: Matching
) -> Ordinals:
    if not quota.at_least:
        return NOTHING
    count = _SPARE * min(quota.at_least, places)
    if quota.each is None:
        return best_of(score, allowed & everywhere(quota.filter or ""), count)
    table = view.catalog.grouped(quota.each)
    if table is None or not len(table.names):
        return NOTHING
    best = best_of_each(score, allowed, table, count)
    best = best[best[:, 0] >= 0]
    first = np.argsort(-score[best[:, 0]], kind="stable")[:places]
    return _there(best[first])


def _within_maxima(query: Query, rules: SlateRules, view: View, score: Floats, allowed: Mask) -> Ordinals:
    """Return the best items that keep to all maxima: looked for ever further down until there are enough."""
    quotas = [quota for quota in rules.quotas if quota.at_most is not None]
    fixed, available = pinned(rules, view, allowed), np.count_nonzero(allowed)
    count = _AT_ONCE * query.k
    while True:
        best = best_of(score, allowed, count)
        ranked = best[np.argsort(-score[best], kind="stable")]
        items = np.concatenate((fixed, ranked[~np.isin(ranked, fixed)]))
        groups = groups_of(quotas, view, items, matching_of(query, view, items))
        begin = groups.start[len(fixed) :]
        placed = np.bincount(groups.group[: begin[0]], minlength=len(groups.at_most))
        kept = first_within(begin, groups.group, groups.at_most, placed, query.k)
        if len(kept) == query.k or count >= available:
            return items[len(fixed) + kept]
        count *= _WIDER


def _of_own_mix(places: int, view: View, occasion: Occasion, score: Floats, allowed: Mask) -> Ordinals:
    history, table = occasion.history, view.catalog.categories
    codes, own = own_mix(table, history.item, np.maximum(history.weight, np.float32(0.0)))
    if not len(codes):
        return NOTHING
    best = best_of_each(score, allowed, table, places)[codes]
    wanted = [math.ceil(part * places) + 1 for part in own.tolist()]
    return np.concatenate([_there(row[:count]) for row, count in zip(best, wanted, strict=True)])


def _there(items: Ordinals) -> Ordinals:
    return items[items >= 0]
