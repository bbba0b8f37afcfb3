"""From scored candidates to the places of a slate."""

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.query import Query
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.scoring import Scored
from foretaste.pipeline.view import View
from foretaste.policy.mmr import mmr
from foretaste.policy.rotation import rotate
from foretaste.policy.similarity import similarities

POOL = 30
"""Diversity looks at this many of the best, or at three times the places asked for if that is more."""

TURNS = 2
"""Categories take turns among this many times the places asked for."""


def by_score(scored: Scored, min_score: float | None = None) -> Int64s:
    """Return positions of candidates by falling score, then rising ordinal; none below `min_score`."""
    order = np.argsort(-scored.score, kind="stable")
    if min_score is not None:
        order = order[: int(np.count_nonzero(scored.score >= min_score))]
    return order


def chosen(query: Query, view: View, scored: Scored) -> Int64s:
    """Return the positions of the candidates that the policy puts on the slate, in their order.

    A `diversity_lambda` of 1.0, of the query or else of the scenario, is the order of the scores. Below it
    MMR chooses, the scores being relevance in log odds, and in a scenario with rotation categories take
    turns among the first `TURNS * k` that MMR names.
    """
    order = by_score(scored, query.min_score)
    asked = query.diversity_lambda
    trade_off = view.scenario.diversity_lambda if asked is None else asked
    rotating = view.scenario.rotate_categories and asked != 1.0
    if trade_off >= 1.0 and not rotating:
        return order[: query.k]
    pool = order[: max(POOL, 3 * query.k)]
    if not len(pool):
        return pool
    count = TURNS * query.k if rotating else query.k
    diverse = pool[:count]
    if trade_off < 1.0:
        diverse = pool[_diverse(scored, pool, view, count, trade_off)]
    if rotating:
        items = scored.candidates.item[diverse]
        turns = rotate(np.arange(len(diverse)), _main_categories(view, items), query.k)
        return diverse[turns]
    return diverse


def item_vectors(artifact: Artifact, items: Ordinals) -> Floats | None:
    """Return unit rows for `items` from the first model that has vectors, None if there is none."""
    for model in artifact.models.values():
        vectors = model.vectors(items)
        if vectors is not None:
            return vectors
    return None


def _diverse(scored: Scored, pool: Int64s, view: View, count: int, trade_off: float) -> Int64s:
    items = scored.candidates.item[pool]
    vectors = item_vectors(view.artifact, items)
    return mmr(scored.score[pool], similarities(vectors, view.catalog.categories, items), count, trade_off)


def _main_categories(view: View, items: Ordinals) -> Ordinals:
    main = np.full(len(items), -1, np.int32)
    known = items < view.catalog.n_items
    main[known] = view.catalog.main_category[items[known]]
    return main
