"""Candidates with their blended scores in one pass: what most answers need, and nothing else."""

from collections.abc import Sequence

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask, Ordinals
from foretaste.domain.kernel import kernel, variable
from foretaste.pipeline.occasion import Occasion
from foretaste.pipeline.view import NOTHING, View
from foretaste.ranking.boost import sum_over
from foretaste.ranking.normalize import blend, scale_of
from foretaste.retrieval.merge import Table, table_of
from foretaste.retrieval.rows import Row, rows_within
from foretaste.retrieval.sources import in_room, unite

Weighed = tuple[Ordinals, Floats, Ordinals, Doubles, float, Floats, Floats]
"""Items, int32 [n]; their scores, float32 [n_sources, n]; by which sources they were proposed, int32; mean,
deviation and scale of every source, float64 [3, n_sources]; the offset; boost and blended score, float32."""

_NO_TABLE = Table(np.empty((0, 0), np.int64), np.empty(0), ())
_NO_INTEREST: Doubles = np.empty(0)


def weighed(
    occasion: Occasion, view: View, rows: Sequence[Row], *, wanted: int, places: int
) -> Weighed | None:
    """Return the candidates of an occasion without boosts and rules; None where these fill too few places.

    `rows` are those of its sources, each of which proposes its best `wanted` for `places` places. It is what
    `merge`, `scales`, `boosts` and `blend_scores` come to one after the other, bit for bit.
    """
    categories, interest = view.catalog.categories, occasion.interest
    table, within = table_of(rows), _NO_TABLE
    if occasion.is_narrowed:
        within = table_of(rows_within(rows, occasion.passing, occasion.allowed, wanted))
    found: Weighed = in_room(
        len(occasion.usual),
        _weigh,
        table.where,
        table.factor,
        within.where,
        within.factor,
        occasion.usual,
        occasion.allowed,
        occasion.is_narrowed,
        view.scenario.per_source,
        wanted,
        places,
        occasion.weights,
        _NO_INTEREST if interest is None else interest.part,
        categories.start,
        categories.code,
        NOTHING,
    )
    return None if len(found[0]) < places else found


@kernel
def _weigh(
    where: Int64s,
    factor: Doubles,
    where_passing: Int64s,
    factor_passing: Doubles,
    usual: Mask,
    allowed: Mask,
    is_narrowed: bool,
    per_source: int,
    wanted: int,
    places: int,
    weights: Doubles,
    part: Doubles,
    start: Int64s,
    code: Ordinals,
    nothing: Ordinals,
    seen: Mask,
    place_of: Ordinals,
) -> Weighed:
    item, score, proposed = unite(where, factor, usual, per_source, nothing, variable(0), seen, place_of)
    figures = np.zeros((3, len(where)))
    offset = scale_of(score, weights, figures)
    if is_narrowed or wanted > per_source or len(item) < places:
        if len(where_passing):
            where, factor = where_passing, factor_passing
        item, score, proposed = unite(where, factor, allowed, wanted, nothing, places, seen, place_of)
    boost, blended = np.zeros(score.shape[1], np.float32), np.empty(score.shape[1], np.float32)
    if len(part):
        sum_over(part, start, code, item[: len(boost)], boost)
    blend(score, figures[2], offset, boost, weights[-1], blended)
    return item, score, proposed, figures, offset, boost, blended
