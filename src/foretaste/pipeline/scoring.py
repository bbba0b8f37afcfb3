"""Candidates and the blended score of each: what every later stage looks at."""

from collections.abc import Sequence

import msgspec
import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Mask, Ordinals
from foretaste.domain.query import Query
from foretaste.domain.slate import Candidates
from foretaste.pipeline.called import called_for, calls_by_score, pinned
from foretaste.pipeline.occasion import Occasion, occasion_of
from foretaste.pipeline.promoting import promoted, totals
from foretaste.pipeline.timekeeping import BLEND
from foretaste.pipeline.view import NOTHING, View
from foretaste.pipeline.weighing import weighed
from foretaste.ranking.boost import boosts
from foretaste.ranking.normalize import blend_scores, scales
from foretaste.retrieval.kept_rows import row_of
from foretaste.retrieval.merge import merge
from foretaste.retrieval.rows import Row, all_scores, rows_of_scores, rows_within

CHOICE = 5
"""Each source proposes at least so many candidates per place of the slate."""


class Scored(msgspec.Struct, frozen=True, eq=False):
    """Candidates in order of ordinal with their blended `score`, float32 [n].

    score = scale @ candidates.score - offset + weights[-1] * boost + lift + the sum of asked, where `scale`,
    float64 [n_sources], is each source's weight over its `deviation`, and offset = scale @ `mean`.
    """

    occasion: Occasion
    candidates: Candidates
    mean: Doubles
    deviation: Doubles
    scale: Doubles
    offset: float
    boost: Floats
    score: Floats
    lift: Floats | None = None
    """What the ranker added to the blend's score, float32 [n]; None where it had no say."""
    asked: Doubles | None = None
    """What each boost of the query added, float64 [n_boosts, n]; None without boosts."""
    called: Ordinals = msgspec.field(default_factory=lambda: NOTHING)
    """The items among them that the query's rules call for."""


def scored(query: Query, view: View) -> Scored:
    """Return the candidates of `query` with their blended scores.

    Mean and deviation are taken over what the sources propose to this person without any filter or exclusion.
    So these change the score of no item: an answer with a filter is the answer without it, restricted; and
    scores can be compared, and calibrated, across queries. What the query's boosts lift is among
    the candidates; their scores do not know of it yet.
    """
    return scored_with_rows(query, view)[0]


def scored_with_rows(query: Query, view: View) -> tuple[Scored, list[Row]]:
    """Return `scored`, and what its sources say of all items."""
    occasion, rows = _asked(occasion_of(query, view), view)
    places = query.k + len(view.shown)
    wanted = max(view.scenario.per_source, CHOICE * places)
    if not query.boost and query.rules is None:
        found = weighed(occasion, view, rows, wanted=wanted, places=places)
        if found is not None:
            item, scores, proposed, figures, offset, boost, score = found
            candidates = Candidates(occasion.sources, item, scores, proposed)
            mean, deviation, scale = figures
            return Scored(occasion, candidates, mean, deviation, scale, offset, boost, score), rows
    return _scored_by_steps(query, view, occasion, rows, wanted, places), rows


def _asked(occasion: Occasion, view: View) -> tuple[Occasion, list[Row]]:
    """Return what the sources say: all of them, or the heaviest and those that there is time for."""
    plan, keeper = occasion.plan, view.timekeeper
    history, moment, shared = occasion.history, occasion.moment, view.known.of_everyone
    rows: list[Row] = []
    asked: list[int] = []
    for place, (source, model) in enumerate(zip(plan.sources, plan.models, strict=True)):
        if place == plan.heaviest:
            keeper.begins(source)
        elif keeper.late(source):
            continue
        rows.append(row_of(model, history, moment, occasion.available, occasion.had, shared))
        asked.append(place)
    keeper.begins(BLEND)
    if len(asked) < len(plan.models):
        occasion = msgspec.structs.replace(occasion, plan=plan.only(asked))
    return occasion, rows


def _scored_by_steps(
    query: Query, view: View, occasion: Occasion, rows: list[Row], wanted: int, places: int
) -> Scored:
    """Do as `scored`, with boosts and rules, and where sources propose too little."""
    beyond = bool(query.boost) or calls_by_score(query.rules)
    if beyond:  # what boosts bring up, and rules call for, is found among the scores of all items
        dense = all_scores(rows, occasion.moment.n_items)
        rows = rows_of_scores(dense)
    candidates = _merged(occasion, view, rows, occasion.usual, view.scenario.per_source)
    mean, deviation, scale, offset = scales(candidates.score, occasion.weights)
    also = called = NOTHING
    if beyond:
        total = totals(query, view, dense, scale)
        called = called_for(query, view, occasion, total)
        also = np.union1d(promoted(query, total, occasion.allowed, wanted), called)
    elif query.rules is not None:
        also = called = pinned(query.rules, view, occasion.allowed)
    enough = wanted <= view.scenario.per_source and len(candidates.item) >= places
    if not enough or occasion.is_narrowed or len(also):
        if occasion.is_narrowed:
            rows = rows_within(rows, occasion.passing, occasion.allowed, wanted)
        candidates = _merged(occasion, view, rows, occasion.allowed, wanted, at_least=places, also=also)
    boost = np.zeros(len(candidates.item), np.float32)
    if occasion.interest is not None:
        boost = boosts(occasion.interest, view.catalog.categories, candidates.item)
    score = blend_scores(candidates.score, scale, offset, boost, occasion.weights[-1])
    return Scored(occasion, candidates, mean, deviation, scale, offset, boost, score, called=called)


def _merged(
    occasion: Occasion,
    view: View,
    rows: Sequence[Row],
    allowed: Mask,
    per_source: int,
    *,
    at_least: int = 0,
    also: Ordinals = NOTHING,
) -> Candidates:
    return merge(
        occasion.sources,
        rows,
        allowed,
        per_source=per_source,
        at_least=at_least,
        also=also,
        interactions=lambda: view.state.items.interactions,
    )
