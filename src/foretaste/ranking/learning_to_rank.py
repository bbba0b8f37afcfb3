"""How a ranker is learnt: features of held-back people, three kinds of boosted trees, their mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits

from foretaste.domain.arrays import Doubles, Int64s
from foretaste.ranking.lambdamart import BoostingOptions, Lists, Objective, curve, grow
from foretaste.ranking.list_gain import list_gains, paired_low
from foretaste.ranking.position_bias import examination
from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.slate_features import Columns, SlateRequest
from foretaste.ranking.slate_knowledge import knowledge_of
from foretaste.ranking.slate_ranker import RankerReport, SlateRanker, features_of
from foretaste.ranking.traits import Traits
from foretaste.ranking.trees import trees_of

PLAIN = ("click_rate", "rate_and_leaning", "rate_and_taste")
"""Features that order slates alone where trees, on little data, do no better."""
OBJECTIVES: tuple[Objective, ...] = ("lambdarank", "rank_xendcg", "binary")


class RankerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a ranker is learnt."""

    folds: int = 5
    """People are dealt into so many parts; what is known of a part's slates comes from the others."""

    judged: int = 2
    """So many of the parts choose the number of trees, one after the other, and judge the whole."""

    rounds: int = 150
    bags: int = 1
    """Each objective is fitted so many times with seeds of its own."""

    boosting: BoostingOptions = BoostingOptions()
    debias: bool = True
    most: int = 20_000
    """Of more slates than this, the latest are taken."""


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Features of all slates, each computed from knowledge that has not seen its person."""

    slates: ShownSlates
    features: Doubles
    fold: Int64s
    bias: Doubles
    usable: Int64s

    def lists(self, chosen: Int64s) -> Lists:
        rows = self.slates.rows(chosen)
        return Lists(
            self.features[rows], self.slates.clicked[rows], self.slates.sizes[chosen], self.bias[rows]
        )


def learn_ranker(
    slates: ShownSlates,
    requests: Sequence[SlateRequest],
    traits: Traits,
    columns: Columns,
    *,
    seed: int = 0,
    options: RankerOptions | None = None,
    rival: str = "click_rate",
) -> SlateRanker:
    """Learn from `slates`, whose candidates are asked for by `requests`, one for each, as of its moment.

    `columns.numbers` must be the traits' own. `rival` names the feature whose order the report compares with.
    People are dealt into folds, so that no feature of a slate comes from its own person's clicks in it.
    The number of trees is chosen on held-back people. The same arguments give the same ranker.
    """
    options = options or RankerOptions()
    if len(slates) > options.most:
        latest = np.arange(len(slates) - options.most, len(slates))
        slates, requests = slates.take(latest), requests[-options.most :]
    with threadpool_limits(limits=1, user_api="blas"):
        return _learnt(slates, requests, traits, columns, seed, options, rival)


def _learnt(
    slates: ShownSlates,
    requests: Sequence[SlateRequest],
    traits: Traits,
    columns: Columns,
    seed: int,
    options: RankerOptions,
    rival: str,
) -> SlateRanker:
    table = _table(slates, requests, traits, columns, seed, options)
    judged = range(min(options.judged, options.folds))
    foretold = np.zeros(len(slates.item))
    scales: dict[Objective, float] = {}
    rounds: dict[str, int] = {}
    for number, objective in enumerate(OBJECTIVES):
        raw, rounds[objective] = _trial(table, objective, judged, seed + number, options)
        scales[objective] = _deviation(raw, table, judged)
        foretold += raw / scales[objective]
    every = table.lists(table.usable)
    dumps = []
    for objective in OBJECTIVES:
        for bag in range(options.bags):
            own = seed + 100 * bag + OBJECTIVES.index(objective)
            booster = grow(every, objective, rounds[objective], options.boosting, own)
            dumps.append((booster.dump_model(), 1.0 / (scales[objective] * options.bags * len(OBJECTIVES))))
    return SlateRanker(
        knowledge=knowledge_of(slates, traits, seed),
        columns=columns,
        trees=trees_of(dumps),
        report=_report(table, judged, foretold, rival, columns, rounds, seed),
    )


def _table(
    slates: ShownSlates,
    requests: Sequence[SlateRequest],
    traits: Traits,
    columns: Columns,
    seed: int,
    options: RankerOptions,
) -> _Table:
    people, who = np.unique(slates.user, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(len(people)) % options.folds
    fold = dealt[who]
    features = np.empty((len(slates.item), len(columns.names)))
    for part in range(options.folds):
        own = np.flatnonzero(fold == part)
        knowledge = knowledge_of(slates.take(np.flatnonzero(fold != part)), traits, seed)
        features[slates.rows(own)] = features_of([requests[s] for s in own.tolist()], knowledge, columns)
    look = (
        examination(slates, len(traits.rows)) if options.debias else np.ones(int(slates.sizes.max(initial=0)))
    )
    clicks = np.add.reduceat(slates.clicked, slates.start[:-1]) if len(slates) else np.zeros(0)
    usable = np.flatnonzero((clicks > 0) & (clicks < slates.sizes))
    return _Table(slates, features, fold, np.log(look)[slates.position], usable)


def _trial(
    table: _Table, objective: Objective, judged: range, seed: int, options: RankerOptions
) -> tuple[Doubles, int]:
    """Return scores of the judged folds' rows by trees of the others, and how many trees did best."""
    boosters, curves = [], []
    for part in judged:
        own = table.fold[table.usable] == part
        booster, gained = curve(
            table.lists(table.usable[~own]),
            table.lists(table.usable[own]),
            objective,
            options.rounds,
            options.boosting,
            seed,
        )
        boosters.append(booster)
        curves.append(gained)
    best = int(np.mean(curves, axis=0).argmax()) + 1
    raw = np.zeros(len(table.slates.item))
    for part, booster in zip(judged, boosters, strict=True):
        rows = table.slates.rows(np.flatnonzero(table.fold == part))
        raw[rows] = booster.predict(table.features[rows], raw_score=True, num_iteration=best)
    return raw, best


def _deviation(raw: Doubles, table: _Table, judged: range) -> float:
    """Return the mean deviation of scores within a slate, over the judged folds."""
    chosen = np.flatnonzero(np.isin(table.fold, list(judged)))
    part = table.slates.take(chosen)
    own = raw[table.slates.rows(chosen)]
    mean = np.bincount(part.slate, weights=own) / part.sizes
    return float(max(np.sqrt(np.square(own - mean[part.slate]).mean()), 1e-9))


def _report(
    table: _Table,
    judged: range,
    foretold: Doubles,
    rival: str,
    columns: Columns,
    rounds: dict[str, int],
    seed: int,
) -> RankerReport:
    own = table.usable[np.isin(table.fold[table.usable], list(judged))]
    rows, part = table.slates.rows(own), table.slates.take(own)
    gained = list_gains(part, foretold[rows])
    others = {
        name: list_gains(part, table.features[rows, columns.names.index(name)]) for name in {rival, *PLAIN}
    }
    ahead = gained - others[rival]
    best = max(PLAIN, key=lambda name: others[name].mean())
    return RankerReport(
        slates=len(table.slates),
        people=len(np.unique(table.slates.user)),
        ranker=float(gained.mean()),
        as_shown=float(list_gains(part, -part.position.astype(np.float64)).mean()),
        click_rate=float(others["click_rate"].mean()),
        rival=rival,
        ahead=float(ahead.mean()),
        ahead_low=paired_low(ahead, part.user, seed),
        rounds=rounds,
        plain=best if others[best].mean() >= gained.mean() else "",
    )
