"""From scored candidates to the places of a slate under rules, and of a page that follows others."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.query import Query
from foretaste.domain.slate_rules import MOST_PLACES, Quota, SlateRules, Slot
from foretaste.pipeline.choosing import (
    POOL,
    TURNS,
    best_that_may,
    chosen,
    item_vectors,
    main_categories,
    relevance_of,
    surprising,
)
from foretaste.pipeline.groups import groups_of, matching_of
from foretaste.pipeline.scoring import Scored
from foretaste.pipeline.view import View
from foretaste.policy.arrangement import NOBODY, Bounds, Variety, arrange
from foretaste.policy.mix import Mix, own_mix, shares
from foretaste.policy.similarity import nearest_of, similarities

_NO_RULES = SlateRules()
_NO_GROUPS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class _Taste:
    """What the policy of an answer is: of the request, or else of its scenario."""

    trade_off: float
    threshold: float
    serendipity: float
    rotates: bool

    @property
    def is_various(self) -> bool:
        return self.trade_off < 1.0 or self.threshold > 0.0


def placed(query: Query, view: View, found: Scored) -> Int64s:
    """Return the positions of the candidates on the slate, in order: as `chosen`, but under rules.

    A page that follows others holds nothing of what they showed, and what is like that counts as like what
    stands before it. Places of rules are counted from the first page on.
    """
    if not len(view.shown) and (query.rules is None or not query.rules.arranges):
        return chosen(query, view, found)
    rules, taste = query.rules or _NO_RULES, _taste(query, view)
    pool, worth = _pool(query, view, found, rules, taste)
    if taste.rotates:
        first = arrange(worth, _free(query.k * TURNS, len(pool)), _variety(view, found, pool, taste))
        kept = np.sort(np.union1d(first, np.flatnonzero(np.isin(pool, _called(found)))))
        pool, worth = pool[kept], worth[kept]
    bounds = _bounds(query, view, rules, found.candidates.item[pool], turns=taste.rotates)
    variety = _variety(view, found, pool, taste) if taste.is_various else None
    return pool[arrange(worth, bounds, variety, _mix(view, found, pool, rules))]


def _taste(query: Query, view: View) -> _Taste:
    asked, scenario, weight = query.diversity_lambda, view.scenario, None
    if query.rules is not None:
        weight = query.rules.serendipity_weight
    plain = asked == 1.0
    usual = 0.0 if plain else scenario.serendipity_weight
    return _Taste(
        trade_off=scenario.diversity_lambda if asked is None else asked,
        threshold=0.0 if plain else scenario.diversity_threshold,
        serendipity=usual if weight is None else weight,
        rotates=scenario.rotate_categories and not plain,
    )


def _called(found: Scored) -> Int64s:
    """Return the positions of the candidates that rules call for."""
    return np.flatnonzero(np.isin(found.candidates.item, found.called))


def _pool(query: Query, view: View, found: Scored, rules: SlateRules, taste: _Taste) -> tuple[Int64s, Floats]:
    """Return the candidates that are looked at, best first, and what they are worth.

    They are the most relevant ones, what rules call for, and what is pinned, whatever its score.
    """
    items, relevance = found.candidates.item, relevance_of(query, view, found)
    best = best_that_may(relevance, found, query, len(items))
    best = best[~np.isin(items[best], view.shown)]
    named = [view.named.get(name, -1) for name in rules.item_ids]
    wanted = np.isin(items[best], found.called)
    wanted[: max(POOL, 3 * query.k)] = True
    pinned = np.flatnonzero(np.isin(items, named) & ~np.isin(items, view.shown))
    pool = np.concatenate((best[wanted], np.setdiff1d(pinned, best[wanted])))
    worth = relevance[pool]
    if taste.serendipity and len(pool):
        worth = surprising(worth, found, pool, view, taste.serendipity)
    in_turn = np.argsort(-worth, kind="stable")
    return pool[in_turn], worth[in_turn]


def _free(places: int, n: int) -> Bounds:
    nobody = np.full(places, NOBODY, np.int64)
    start = np.zeros(n + 1, np.int64)
    return Bounds(start, _NO_GROUPS, _NO_GROUPS, _NO_GROUPS, nobody, nobody, _NO_GROUPS)


def _bounds(query: Query, view: View, rules: SlateRules, items: Ordinals, *, turns: bool) -> Bounds:
    here = {slot.place - 1 - len(view.shown): slot for slot in rules.slots}
    here = {place: slot for place, slot in here.items() if 0 <= place < query.k}
    quotas = _with_slots(rules.quotas, here.values())
    groups = groups_of(quotas, view, items, matching_of(query, view, items))
    group_of = {quotas[quota].filter: group for group, quota in enumerate(groups.quota.tolist())}
    pinned, kept_for = np.full((2, query.k), NOBODY, np.int64)
    for place, slot in here.items():
        if slot.item_id is None:
            kept_for[place] = group_of[slot.filter]
        else:
            at = np.flatnonzero(items == view.named.get(slot.item_id, -1))
            pinned[place] = at[0] if len(at) else NOBODY
    return Bounds(
        start=groups.start,
        group=groups.group,
        at_least=groups.at_least,
        at_most=groups.at_most,
        pinned=pinned,
        kept_for=kept_for,
        turn=_turns(view, items) if turns else _NO_GROUPS,
    )


def _with_slots(quotas: tuple[Quota, ...], slots: Iterable[Slot]) -> tuple[Quota, ...]:
    """Return the quotas, and one that bounds nothing for each filter of a slot that has none."""
    known = {quota.filter for quota in quotas}
    wanted = dict.fromkeys(slot.filter for slot in slots if slot.filter not in known)
    return quotas + tuple(Quota(filter=text, at_most=MOST_PLACES) for text in wanted if text is not None)


def _turns(view: View, items: Ordinals) -> Int64s:
    """Return the main categories of items as codes from 0."""
    return np.unique(main_categories(view, items), return_inverse=True)[1]


def _variety(view: View, found: Scored, pool: Int64s, taste: _Taste) -> Variety:
    items, categories = found.candidates.item[pool], view.catalog.categories
    moment = found.occasion.moment
    alike = similarities(item_vectors(view.artifact, items, moment), categories, items)
    nearest = np.zeros(len(items), np.float32)
    if len(view.shown):
        both = np.concatenate((items, view.shown)).astype(np.int32)
        nearest = nearest_of(item_vectors(view.artifact, both, moment), categories, both, len(items))
    return Variety(alike, nearest, taste.trade_off, taste.threshold)


def _mix(view: View, found: Scored, pool: Int64s, rules: SlateRules) -> Mix | None:
    if not rules.own_mix:
        return None
    history, table = found.occasion.history, view.catalog.categories
    codes, own = own_mix(table, history.item, np.maximum(history.weight, np.float32(0.0)))
    if not len(codes):
        return None
    return Mix(own=own, share=shares(table, found.candidates.item[pool], codes), weight=rules.own_mix)
