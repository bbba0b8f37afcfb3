"""Candidates and the blended score of each: what every later stage looks at."""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Floats
from foretaste.domain.query import Query
from foretaste.domain.slate import Candidates
from foretaste.pipeline.occasion import Occasion, occasion_of
from foretaste.pipeline.view import View
from foretaste.ranking.boost import boosts
from foretaste.ranking.normalize import blend_scores, inverse, spread
from foretaste.retrieval.merge import merge, union
from foretaste.retrieval.sources import dense_scores


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Candidates in order of ordinal with their blended `score`, float32 [n].

    score = scale @ candidates.score - offset + weights[-1] * boost, where `scale`, float64 [n_sources],
    is each source's weight over its `deviation`, and offset = scale @ `mean`.
    """

    occasion: Occasion
    candidates: Candidates
    mean: Doubles
    deviation: Doubles
    scale: Doubles
    offset: float
    boost: Floats
    score: Floats


def scored(query: Query, view: View) -> Scored:
    """Return the candidates of `query` with their blended scores.

    Mean and deviation are taken over what the sources would propose from all available items. So neither
    filters nor exclusions nor consumption change the score of any item: an answer with a filter is the
    answer without it, restricted; and scores can be compared, and calibrated, across queries.
    """
    occasion = occasion_of(query, view)
    dense = dense_scores(occasion.models, occasion.history, occasion.moment)
    per_source = max(view.scenario.per_source, 5 * query.k)
    reference, _ = union(dense, occasion.available, view.scenario.per_source)
    mean, deviation = spread(dense[:, reference])
    candidates = merge(
        occasion.sources,
        dense,
        occasion.allowed,
        per_source=per_source,
        at_least=query.k,
        interactions=view.state.items.interactions,
    )
    scale = occasion.weights[:-1] * inverse(deviation)
    offset = float(scale @ mean)
    boost = np.zeros(len(candidates.item), np.float32)
    if occasion.interest is not None:
        boost = boosts(occasion.interest, view.catalog.categories, candidates.item)
    score = blend_scores(candidates.score, scale, offset, boost, occasion.weights[-1])
    return Scored(occasion, candidates, mean, deviation, scale, offset, boost, score)
