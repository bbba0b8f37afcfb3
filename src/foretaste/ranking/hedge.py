"""Weights drawn to even ones, as far as that costs next to nothing on what they were learnt on.

Learnt weights are the best for questions like those they were learnt on. Where what is asked later is not
like them, even weights often do better, and seldom much worse (Stock and Watson, "Combination forecasts of
output growth in a seven-country data set", Journal of Forecasting 2004). So a little is paid, as for an
insurance, where it is surely little.
"""

import math
from collections.abc import Sequence

import numpy as np

from foretaste.domain.arrays import Doubles, Int64s
from foretaste.ranking.blend import Blend
from foretaste.ranking.blend_fit import judge_by_context
from foretaste.ranking.samples import Sample, stack

PARTS = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
"""So far weights are drawn to even ones: the farthest that costs no more than it may."""
PREMIUM, RISK = 0.005, 0.015
"""The most that may be given up, relatively: as far as can be told, and for sure."""
FEWEST = 1_000
"""Fewer samples do not tell what is given up."""


def hedged(
    blend: Blend, samples: Sequence[Sample], *, sources: Sequence[str], rivals: Sequence[str]
) -> Blend:
    """Return `blend` with what it gives to `rivals` drawn to even parts, what it gives to others unchanged.

    `samples` are those it was learnt on, their columns `sources` and the boost. Weights are drawn as far as
    that costs no more than `PREMIUM` of their mean NDCG@10, and by a standard error of the paired difference
    no more than `RISK`. Rivals that the blend had left out take part. Nothing changes for people without a
    history, nor with fewer than two rivals or `FEWEST` samples.
    """
    kept = [place for place, source in enumerate(sources) if source in {*blend.sources, *rivals}]
    table = stack([sample for sample in samples if sample.length], len(sources)).among(
        np.array(kept, np.int64)
    )
    if len(rivals) < 2 or len(table) < FEWEST:
        return blend
    names = tuple(sources[place] for place in kept)
    learnt = _spread_out(blend, names)
    among = np.array([place for place, name in enumerate(names) if name in rivals], np.int64)
    gained = judge_by_context(table, learnt)
    for part in PARTS:
        rows = _drawn(learnt, among, part)
        lost = gained - judge_by_context(table, rows)
        error = lost.std() / math.sqrt(len(lost))
        if lost.mean() <= gained.mean() * PREMIUM and lost.mean() + error <= gained.mean() * RISK:
            return Blend(names, rows, blend.form, blend.report, blend.sharpness)
    return blend


def _spread_out(blend: Blend, names: Sequence[str]) -> Doubles:
    """Return the weights of `blend` with a column for each of `names`, 0 where it left a source out."""
    weights = np.zeros((len(blend.weights), len(names) + 1))
    weights[:, [*(names.index(source) for source in blend.sources), -1]] = blend.weights
    return weights


def _drawn(weights: Doubles, among: Int64s, part: float) -> Doubles:
    """Return `weights` with the columns `among` drawn to their mean by `part`, but for strangers."""
    rows = weights.copy()
    own = rows[2:, among]
    rows[2:, among] = own + part * (own.mean(axis=1, keepdims=True) - own)
    return rows
