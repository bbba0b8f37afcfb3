"""How a ranker is learnt: features as of each slate's moment, three kinds of boosted trees, their mean.

The latest slates tell how many trees there are and what the whole is worth, from what was known before them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits

from foretaste.domain.arrays import Doubles, Int64s
from foretaste.ranking.click_rates import looks_and_clicks
from foretaste.ranking.lambdamart import BoostingOptions, Objective, grow
from foretaste.ranking.list_gain import gains_at_alike_places, list_gains, paired_low
from foretaste.ranking.place_effects import place_effects, weight_beside_places
from foretaste.ranking.shown import NO_SLATES, ShownSlates
from foretaste.ranking.slate_features import SCORE, Columns, SlateRequest
from foretaste.ranking.slate_knowledge import SlateKnowledge, knowledge_of
from foretaste.ranking.slate_ranker import RankerReport, SlateRanker, features_of
from foretaste.ranking.traits import Traits
from foretaste.ranking.tree_trial import Table, deviation, trial
from foretaste.ranking.trees import trees_of

PLAIN = ("click_rate", "rate_and_leaning", "rate_and_taste")
"""Features that order slates alone where trees, on little data, do no better."""
HEARD_BY = "rate_and_leaning"
"""By this order it is decided whether slates of long ago are heard."""
CODED_BY = "rate_and_taste"
"""By this order it is decided whether whole numbers are codes that items share, or only numbers."""
FEWEST_KNOWN = 100
"""From fewer slates with a choice nothing is learnt of others."""
EDITIONS = 8
"""So often within a part of the time the clicks so far are counted anew, as in serving."""
OBJECTIVES: tuple[Objective, ...] = ("lambdarank", "listwise", "binary")


class RankerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a ranker is learnt."""

    blocks: int = 10
    """The slates are so many parts of the time; what is known of a part's slates comes from those before."""

    folds: int = 5
    """Where nothing is before, people are dealt into so many; what is known of some comes from the others."""

    judged: float = 0.2
    """This share of the slates with clicks, the latest, chooses the number of trees and judges the whole."""

    rounds: int = 150
    bags: int = 1
    """Each objective is fitted so many times with seeds of its own."""

    boosting: BoostingOptions = BoostingOptions()
    debias: bool = True
    most: int = 20_000
    """Trees learn from the latest so many slates."""
    known: int = 100_000
    """Of the slates before these, the latest so many tell how items are clicked and how people lean."""


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """How slates are learnt from, whichever they are. `rival` is the feature to beat."""

    traits: Traits
    columns: Columns
    rival: str
    seed: int
    options: RankerOptions

    def knowledge(self, slates: ShownSlates) -> SlateKnowledge:
        return knowledge_of(slates, self.traits, self.seed)

    def features(self, requests: Sequence[SlateRequest], known: ShownSlates) -> Doubles:
        """Return the features of what was asked for, by what the `known` slates tell."""
        return features_of(requests, self.knowledge(known), self.columns)

    def trust(self, slates: ShownSlates, features: Doubles) -> float:
        """Return the weight that the rival begins with in log odds; 0 if it is not the score of a source."""
        if self.rival.removeprefix(SCORE) not in self.columns.sources:
            return 0.0
        return weight_beside_places(slates, features[:, self.columns.names.index(self.rival)])

    def begin(self, features: Doubles, trust: float) -> Doubles:
        """Return what trees begin with, float64 [rows]."""
        return trust * features[:, self.columns.names.index(self.rival)] if trust else np.zeros(len(features))

    def features_then(
        self, slates: ShownSlates, requests: Sequence[SlateRequest], known: ShownSlates
    ) -> Doubles:
        """Return the features that slates had at their moment, by what the `known` ones before them tell.

        As in serving, looks and clicks of those of `slates` that were shown earlier are counted too.
        """
        knowledge = self.knowledge(known)
        features = np.empty((len(slates.item), len(self.columns.names)))
        for own in _by_time(slates, EDITIONS):
            asked = [requests[slate] for slate in own.tolist()]
            features[slates.rows(own)] = features_of(asked, knowledge, self.columns)
            more = looks_and_clicks(slates.take(own), knowledge.look, len(self.traits.rows))
            knowledge = knowledge.and_also(*more)
        return features


def learn_ranker(
    slates: ShownSlates,
    requests: Sequence[SlateRequest],
    traits: Traits,
    columns: Columns,
    *,
    seed: int = 0,
    options: RankerOptions | None = None,
    rival: str = "click_rate",
    before: ShownSlates = NO_SLATES,
) -> SlateRanker:
    """Learn from `slates`, whose candidates are asked for by `requests`, one for each, as of its moment.

    Those `before`, in order of time, only tell how items are clicked and how people lean. They do
    not where by what is known with them the latest of `slates` are surely ordered worse than without.
    Whole numbers are traits only where these tell surely more of the latest slates than without.
    `columns.numbers` must be the traits' own. `rival` names the feature whose order the report compares with.
    No feature of a slate comes from what was clicked in it, and where there are slates before it, none from
    slates shown later. The number of trees is chosen, and the report made, on the latest slates by what
    earlier ones teach, as if nothing more were heard of in serving. The same arguments give the same ranker.
    """
    options = options or RankerOptions()
    if len(slates) > options.most:
        first = len(slates) - options.most
        before = before.and_then(slates.take(np.arange(first)))
        slates, requests = slates.take(np.arange(first, len(slates))), requests[first:]
    before = before.take(np.arange(max(0, len(before) - options.known), len(before)))
    with threadpool_limits(limits=1, user_api="blas"):
        way = _suiting(slates, requests, before, _Way(traits, columns, rival, seed, options))
        return _learnt(slates, requests, before, way)


def _learnt(
    slates: ShownSlates, requests: Sequence[SlateRequest], before: ShownSlates, way: _Way
) -> SlateRanker:
    seed, options = way.seed, way.options
    earlier, later, before = _parted(slates, requests, before, way)
    foretold = np.zeros(len(later.slates.item))
    scales: dict[Objective, float] = {}
    rounds: dict[str, int] = {}
    for number, objective in enumerate(OBJECTIVES):
        raw, rounds[objective] = trial(
            earlier, later, objective, seed + number, options.rounds, options.boosting
        )
        scales[objective] = deviation(raw, later.slates)
        foretold += raw / scales[objective]
    table = _table(slates, requests, before, way)
    every = table.lists(slates.telling)
    dumps = []
    for objective in OBJECTIVES:
        for bag in range(options.bags):
            own = seed + 100 * bag + OBJECTIVES.index(objective)
            booster = grow(every, objective, rounds[objective], options.boosting, own)
            dumps.append((booster.dump_model(), 1.0 / (scales[objective] * options.bags * len(OBJECTIVES))))
    return SlateRanker(
        knowledge=way.knowledge(before.and_then(slates)),
        columns=way.columns,
        trees=trees_of(dumps),
        trust=table.trust * sum(1.0 / scales[objective] for objective in OBJECTIVES) / len(OBJECTIVES),
        report=_report(slates, later, foretold, earlier.effect, rounds, way),
    )


def _suiting(slates: ShownSlates, requests: Sequence[SlateRequest], before: ShownSlates, way: _Way) -> _Way:
    """Return `way` with whole numbers as codes where by these the latest slates are surely ordered better."""
    plain = replace(way, traits=way.traits.without_codes())
    if plain.traits is way.traits:
        return way
    early, late = _cut(slates, way)
    judged, asked = slates.take(late), [requests[place] for place in late.tolist()]
    known = before.and_then(slates.take(early))
    coded, others = (_foretold(judged, asked, known, each, CODED_BY)[1] for each in (way, plain))
    return way if _are_less(others, coded) else plain


def _cut(slates: ShownSlates, way: _Way) -> tuple[Int64s, Int64s]:
    """Return the places of the earlier slates and of the latest, rising."""
    order = np.argsort(slates.time, kind="stable")
    telling = np.flatnonzero(np.isin(order, slates.telling))
    cut = telling[-max(1, round(way.options.judged * len(telling)))]  # the latest may have no clicks yet
    return np.sort(order[:cut]), np.sort(order[cut:])


def _parted(
    slates: ShownSlates, requests: Sequence[SlateRequest], before: ShownSlates, way: _Way
) -> tuple[Table, Table, ShownSlates]:
    """Return the earlier slates, the latest ones with the features they had in serving, and what is heard.

    That is those `before`, or none of them.
    """
    early, late = _cut(slates, way)
    past, asked = slates.take(early), [requests[place] for place in late.tolist()]
    judged = slates.take(late)
    features, gains = _foretold(judged, asked, before.and_then(past), way, HEARD_BY)
    if len(before):
        alone, others = _foretold(judged, asked, past, way, HEARD_BY)
        if _are_less(gains, others):
            before, features = NO_SLATES, alone
    told = [requests[place] for place in early.tolist()]
    earlier = _table(past, told, before, way)
    begin = way.begin(features, earlier.trust)
    later = replace(
        earlier,
        slates=judged,
        features=features,
        effect=np.zeros(int(judged.sizes.max(initial=0))),
        begin=begin,
    )
    return earlier, later, before


def _foretold(
    judged: ShownSlates, asked: Sequence[SlateRequest], known: ShownSlates, way: _Way, by: str
) -> tuple[Doubles, Doubles]:
    """Return the features of slates by what `known` ones tell, and the gains of the order by one of these."""
    features = way.features(asked, known)
    telling = judged.telling
    plain = features[judged.rows(telling), way.columns.names.index(by)]
    return features, list_gains(judged.take(telling), plain)


def _are_less(gains: Doubles, others: Doubles) -> bool:
    """Return whether gains are less than others, by more than a standard error of the mean difference."""
    less = others - gains
    return bool(less.mean() > less.std() / np.sqrt(len(less)))


def _table(slates: ShownSlates, requests: Sequence[SlateRequest], before: ShownSlates, way: _Way) -> Table:
    """Return the slates with the features that they had at their moment."""
    features = np.empty((len(slates.item), len(way.columns.names)))
    earlier = before
    for own in _by_time(slates, way.options.blocks):
        part, asked = slates.take(own), [requests[slate] for slate in own.tolist()]
        if len(earlier.telling) < FEWEST_KNOWN:
            features[slates.rows(own)] = _from_others(part, asked, earlier, way)
        else:
            features[slates.rows(own)] = way.features_then(part, asked, earlier)
        earlier = earlier.and_then(part)
    effect = np.zeros(int(slates.sizes.max(initial=0)))
    if way.options.debias:
        effect = place_effects(slates, features, ~way.columns.ordinal)
    trust = way.trust(slates, features)
    begin = way.begin(features, trust)
    return Table(slates, features, effect, trust, begin, way.columns.rising)


def _as_long(effect: Doubles, slates: ShownSlates) -> Doubles:
    """Return the effects of places for slates that may be longer, by as much as the last one's."""
    return np.pad(effect, (0, max(0, int(slates.sizes.max(initial=0)) - len(effect))), mode="edge")


def _from_others(
    slates: ShownSlates, requests: Sequence[SlateRequest], before: ShownSlates, way: _Way
) -> Doubles:
    """Return features by what other people's slates tell, of whatever time: there are few before these."""
    people, who = np.unique(slates.user, return_inverse=True)
    dealt = np.random.default_rng(way.seed).permutation(len(people)) % way.options.folds
    fold = dealt[who]
    features = np.empty((len(slates.item), len(way.columns.names)))
    for part in range(way.options.folds):
        own = np.flatnonzero(fold == part)
        others = before.take(np.flatnonzero(~np.isin(before.user, people[dealt == part])))
        known = others.and_then(slates.take(np.flatnonzero(fold != part)))
        features[slates.rows(own)] = way.features([requests[slate] for slate in own.tolist()], known)
    return features


def _by_time(slates: ShownSlates, parts: int) -> list[Int64s]:
    """Return the places of slates in so many parts of the time, in order; no moment is in two of them."""
    if not len(slates):
        return []
    order = np.argsort(slates.time, kind="stable")
    time = slates.time[order]
    cuts: Int64s = np.searchsorted(time, time[np.arange(1, parts) * len(order) // parts])
    return [part for part in np.split(order, cuts) if len(part)]


def _report(
    slates: ShownSlates,
    later: Table,
    foretold: Doubles,
    effect: Doubles,
    rounds: dict[str, int],
    way: _Way,
) -> RankerReport:
    telling, looked = later.slates.telling, _as_long(effect, later.slates)
    rows, part = later.slates.rows(telling), later.slates.take(telling)
    rival = later.features[rows, way.columns.names.index(way.rival)]
    ahead = np.subtract(*(gains_at_alike_places(part, by, looked) for by in (foretold[rows], rival)))
    gained = list_gains(part, foretold[rows])
    others = {name: list_gains(part, later.features[rows, way.columns.names.index(name)]) for name in PLAIN}
    best = max(PLAIN, key=lambda name: others[name].mean())
    return RankerReport(
        slates=len(slates),
        people=len(np.unique(slates.user)),
        ranker=float(gained.mean()),
        as_shown=float(list_gains(part, -part.position.astype(np.float64)).mean()),
        click_rate=float(others["click_rate"].mean()),
        rival=way.rival,
        ahead=float(ahead.mean()),
        ahead_low=paired_low(ahead, part.user, way.seed),
        rounds=rounds,
        plain=best if others[best].mean() >= gained.mean() else "",
    )
