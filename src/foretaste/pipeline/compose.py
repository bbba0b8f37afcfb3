"""The composition that ships: query and view in, slate out, with its stages open to evaluation."""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Floats, Mask, Ordinals
from foretaste.domain.query import Query
from foretaste.domain.slate import Candidates, Slate
from foretaste.pipeline.view import View
from foretaste.ranking.samples import Sample


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Candidates by falling blended score (then by rising ordinal), before the slate is chosen.

    `item` int32 [n], `score` float32 [n]. Replay finds the place of the truth here; an item that is not
    listed was not a candidate.
    """

    item: Ordinals
    score: Floats


def answer(query: Query, view: View) -> Slate:
    """Return the slate for `query`: pure, bit-equal for equal arguments, no clock, no input or output."""
    raise NotImplementedError


def rank(query: Query, view: View) -> Ranked:
    """Return all candidates as the slate's ranker orders them: `answer` without policy and presentation."""
    raise NotImplementedError


def candidates(query: Query, view: View) -> Candidates:
    """Return the union of what the sources propose, with every source's raw score of each."""
    raise NotImplementedError


def sample(query: Query, view: View, truth: int) -> Sample:
    """Return what `Blend.fit` learns from: the standardized candidates and the row of item `truth`."""
    raise NotImplementedError


def pairs(ranked: Ranked, future: Ordinals) -> tuple[Floats, Mask]:
    """Return what `Calibration.fit` learns from: the scores, and whether each item is among `future`."""
    return ranked.score, np.isin(ranked.item, future)
