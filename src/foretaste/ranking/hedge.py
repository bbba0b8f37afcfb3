"""Weights drawn to simpler ones, as far as that costs next to nothing on what they were learnt on.

Learnt weights are the best for questions like those they were learnt on. Where what is asked later is not
like them, even weights often do better, and seldom much worse (Stock and Watson, "Combination forecasts of
output growth in a seven-country data set", Journal of Forecasting 2004). So a little is paid, as for an
insurance, where it is surely little. Where time goes on, models that were fitted age, and a source that
follows every event does not: a blend that is hardly ahead of such a source is drawn to it.
"""

import math
from collections.abc import Callable, Collection, Sequence

import numpy as np

from foretaste.domain.arrays import Doubles, Int64s
from foretaste.ranking.blend import Blend
from foretaste.ranking.blend_fit import best_alone, judge_by_context, sums_apart
from foretaste.ranking.listwise import gains, to_log_odds
from foretaste.ranking.samples import Sample, SampleTable, stack

PARTS = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
"""So far weights are drawn to even ones: the farthest that costs no more than it may."""
PREMIUM, RISK = 0.005, 0.015
"""The most that may be given up, relatively: as far as can be told, and for sure."""
OF_LEAD = 0.5
"""Of what the blend is ahead of its best source at most this part is given up: it is to stay ahead."""
FEWEST = 1_000
"""Fewer samples do not tell what is given up."""
HARDLY = 0.05
"""A lead of less than this part over its best source may be gone once models have aged."""
STILL_A_BLEND = 0.6
"""No blend is drawn farther to a single source."""


def hedged(
    blend: Blend, samples: Sequence[Sample], *, sources: Sequence[str], rivals: Sequence[str]
) -> Blend:
    """Return `blend` with what it gives to `rivals` drawn to even parts, what it gives to others unchanged.

    `samples` are those it was learnt on, their columns `sources` and the boost. Weights are drawn as far as
    that costs no more than `PREMIUM` of their mean NDCG@10, and by a standard error of the paired difference
    no more than `RISK`; where they are less than that ahead of the best source, no more than `OF_LEAD` of it.
    Rivals that the blend had left out take part. Nothing changes for people without a history, nor with fewer
    than two rivals or `FEWEST` samples.
    """
    table = stack([sample for sample in samples if sample.length], len(sources))
    best = max(_alone(table, source).sum() for source in range(len(sources))) if len(table) else 0.0
    names, table, learnt = _widened(blend, table, sources, rivals)
    if len(rivals) < 2 or len(table) < FEWEST:
        return blend
    lead = max(0.0, 1.0 - best / max(float(judge_by_context(table, learnt).sum()), 1e-12))
    among = np.array([place for place, name in enumerate(names) if name in rivals], np.int64)
    return _farthest(
        blend,
        names,
        table,
        learnt,
        PARTS,
        lambda part: _evened(learnt, among, part),
        paid=min(1.0, OF_LEAD * lead / PREMIUM),
    )


def hedged_by_best(
    blend: Blend, samples: Sequence[Sample], *, sources: Sequence[str], live: Collection[str]
) -> Blend:
    """Return `blend` drawn to its best source, if that is `live` and the blend is hardly ahead of it.

    The best is that of the highest mean NDCG@10 on `samples`, which are those that the blend was learnt on,
    their columns `sources` and the boost; hardly is by less than `HARDLY`. Weights are drawn as far as that
    costs no more than in `hedged`, and at most `STILL_A_BLEND`; what the boost weighs stays. Nothing changes
    for people without a history, nor with fewer than `FEWEST` samples.
    """
    table = stack([sample for sample in samples if sample.length], len(sources))
    best = sources[best_alone(table)] if len(table) else ""
    if best not in live:
        return blend
    names, table, learnt = _widened(blend, table, sources, [best])
    if len(table) < FEWEST:
        return blend
    single = np.eye(1, len(names) + 1, names.index(best))[0]
    if judge_by_context(table, learnt).sum() > (1.0 + HARDLY) * gains(table, single).sum():
        return blend
    single *= to_log_odds(table, single)
    parts = [part for part in PARTS if part <= STILL_A_BLEND]
    return _farthest(blend, names, table, learnt, parts, lambda part: _drawn(learnt, single, part))


def _alone(table: SampleTable, source: int) -> Doubles:
    """Return what each sample of `table` gains by one source, the boost aside."""
    return gains(table, np.eye(1, table.columns.shape[1], source)[0])


def _widened(
    blend: Blend, table: SampleTable, sources: Sequence[str], others: Collection[str]
) -> tuple[tuple[str, ...], SampleTable, Doubles]:
    """Return the blend's sources and `others`, the samples as they are for these, and the blend's weights.

    A source that the blend had left out weighs 0.
    """
    kept = [place for place, source in enumerate(sources) if source in {*blend.sources, *others}]
    names = tuple(sources[place] for place in kept)
    weights = np.zeros((len(blend.weights), len(names) + 1))
    weights[:, [*(names.index(source) for source in blend.sources), -1]] = blend.weights
    return names, table.among(np.array(kept, np.int64)), weights


def _farthest(
    blend: Blend,
    names: tuple[str, ...],
    table: SampleTable,
    learnt: Doubles,
    parts: Sequence[float],
    drawn: Callable[[float], Doubles],
    *,
    paid: float = 1.0,
) -> Blend:
    """Return `blend` with the weights `drawn` by the first of `parts` that costs no more than it may.

    That is the part `paid` of the usual.
    """
    gained = judge_by_context(table, learnt)
    for part in parts:
        rows = drawn(part)
        lost = gained - judge_by_context(table, rows)
        error = math.sqrt(float((sums_apart(lost, table.visit) ** 2).sum())) / len(lost)
        most = paid * gained.mean()
        if lost.mean() <= most * PREMIUM and lost.mean() + error <= most * RISK:
            return Blend(names, rows, blend.form, blend.report, blend.sharpness)
    return blend


def _evened(weights: Doubles, among: Int64s, part: float) -> Doubles:
    """Return `weights` with the columns `among` drawn to their mean by `part`, but for strangers."""
    rows = weights.copy()
    own = rows[2:, among]
    rows[2:, among] = own + part * (own.mean(axis=1, keepdims=True) - own)
    return rows


def _drawn(weights: Doubles, single: Doubles, part: float) -> Doubles:
    """Return `weights` drawn to those of a `single` source by `part`, but for strangers and the boost."""
    rows = weights.copy()
    rows[2:, :-1] += part * (single[:-1] - rows[2:, :-1])
    return rows
