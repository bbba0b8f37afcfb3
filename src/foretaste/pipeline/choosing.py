"""From scored candidates to the places of a slate."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.query import Query
from foretaste.models.guests import Host
from foretaste.models.interface import Moment
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.scoring import Scored
from foretaste.pipeline.timekeeping import DIVERSITY
from foretaste.pipeline.view import View
from foretaste.policy.mmr import mmr
from foretaste.policy.order import best_first
from foretaste.policy.popularity import corrected
from foretaste.policy.rotation import rotate
from foretaste.policy.serendipity import serendipitous, surprise
from foretaste.policy.similarity import similarities

POOL = 30
"""Diversity looks at this many of the best, or at three times the places asked for if that is more."""

PAST = 50
"""Surprising is what is unlike so many of the person's latest items."""

_WITH_VECTORS = "the model that has vectors"

TURNS = 2
"""Categories take turns among this many times the places asked for."""


def by_score(scored: Scored) -> Int64s:
    """Return positions of candidates by falling score, then rising ordinal."""
    return best_first(scored.score, len(scored.score))


def chosen(query: Query, view: View, scored: Scored) -> Int64s:
    """Return the positions of the candidates that the policy puts on the slate, in their order.

    Relevance is the score in log odds, less what popularity has to answer for, and, among the best, more for
    what surprises. A `diversity_lambda` of 1.0, of the query or else of the scenario, is the order of
    relevance. Below it, or with a threshold, MMR chooses, and in a scenario with rotation categories take
    turns among the first `TURNS * k` that MMR names. None scores below `query.min_score`. Where there is no
    time for that it is the order of relevance.
    """
    relevance = relevance_of(query, view, scored)
    asked, scenario = query.diversity_lambda, view.scenario
    trade_off = scenario.diversity_lambda if asked is None else asked
    plain = asked == 1.0 or (trade_off == 1.0 and not scenario.diversity_threshold)
    rotating = scenario.rotate_categories and asked != 1.0
    serendipity = scenario.serendipity_weight if asked != 1.0 else 0.0
    if (plain and not rotating and not serendipity) or view.timekeeper.late(DIVERSITY):
        return best_that_may(relevance, scored, query, query.k)
    pool = best_that_may(relevance, scored, query, max(POOL, 3 * query.k))
    if not len(pool):
        return pool
    worth = relevance[pool]
    if serendipity:
        worth = surprising(worth, scored, pool, view, serendipity)
        in_turn = np.argsort(-worth, kind="stable")
        pool, worth = pool[in_turn], worth[in_turn]
    count = TURNS * query.k if rotating else query.k
    diverse = pool[:count] if plain else pool[_diverse(worth, scored, pool, view, count, trade_off)]
    if rotating:
        items = scored.candidates.item[diverse]
        turns = rotate(np.arange(len(diverse)), main_categories(view, items), query.k)
        return diverse[turns]
    return diverse


def best_that_may(relevance: Floats, scored: Scored, query: Query, count: int) -> Int64s:
    """Return the positions of the `count` most relevant candidates that may be shown, best first."""
    if query.min_score is None:
        return best_first(relevance, count)
    order = best_first(relevance, len(relevance))
    return np.asarray(order[scored.score[order] >= query.min_score][:count])


def relevance_of(query: Query, view: View, scored: Scored) -> Floats:
    """Return the scores less what popularity has to answer for, float32 [n]."""
    asked = query.popularity_correction
    correction = view.scenario.popularity_correction if asked is None else asked
    if correction == 0.0:
        return scored.score
    items, known = scored.candidates.item, view.state.items.interactions
    counts = np.zeros(len(items), np.int64)
    there = items < len(known)
    counts[there] = known[items[there]]
    return corrected(scored.score, counts, correction)


def surprising(worth: Floats, scored: Scored, pool: Int64s, view: View, weight: float) -> Floats:
    """Return what candidates are worth with what they surprise by (see `policy.serendipity`)."""
    items = scored.candidates.item[pool]
    past = np.unique(scored.occasion.history.item[-PAST:])
    both = np.concatenate((items, past)).astype(np.int32)
    vectors = item_vectors(view.artifact, both, scored.occasion.moment)
    alike = similarities(vectors, view.catalog.categories, both)
    return serendipitous(worth, surprise(alike[: len(items), len(items) :]), weight)


def item_vectors(artifact: Artifact, items: Ordinals, moment: Moment | None = None) -> Floats | None:
    """Return unit rows for `items` from the first model that has vectors, None if there is none.

    `moment` is the one whose guests are among the items.
    """
    if _WITH_VECTORS not in artifact.memo:
        nothing = np.empty(0, np.int32)
        having = (model for model in artifact.models.values() if model.vectors(nothing) is not None)
        artifact.memo[_WITH_VECTORS] = next(having, None)
    model = artifact.memo[_WITH_VECTORS]
    vectors: Floats | None = None if model is None else model.vectors(items)
    if moment is None or vectors is None or not len(moment.guests.item):
        return vectors
    if isinstance(model, Host):
        place, guest = moment.guests.among(items)
        if len(place) and (own := model.guest_vectors(moment)) is not None:
            vectors[place] = own[guest]
    return vectors


def _diverse(worth: Floats, scored: Scored, pool: Int64s, view: View, count: int, trade_off: float) -> Int64s:
    with view.timed("mmr_rerank"):
        items = scored.candidates.item[pool]
        vectors = item_vectors(view.artifact, items, scored.occasion.moment)
        threshold = view.scenario.diversity_threshold
        return mmr(worth, vectors, view.catalog.categories, items, count, trade_off, threshold)


def main_categories(view: View, items: Ordinals) -> Ordinals:
    """Return the code of each item's main category, int32, -1 for none."""
    main = np.full(len(items), -1, np.int32)
    known = items < view.catalog.n_items
    main[known] = view.catalog.main_category[items[known]]
    return main
