"""What the blend learns from: lists of candidates of which one was the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask
from foretaste.ranking.contexts import contexts_of


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The candidates of one past query, and what the person did next.

    `columns` float32 [n_candidates, n_sources + 1] are the standardized scores of the sources and, last,
    the boost, in order of item ordinal; `proposed` bool [n_candidates, n_sources] tells who proposed them.
    `truth` is the row of the item that came next, -1 where it was not among the candidates. `length` is
    the length of the history that was scored, `in_session` whether its last event is fresh (see `contexts`).
    Samples of one `visit`, and less so of one `person`, are not independent of each other; -1: of one of its
    own.
    """

    columns: Floats
    proposed: Mask
    truth: int
    length: int
    in_session: bool = False
    visit: int = -1
    person: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class SampleTable:
    """Samples after one another: list i has the rows from `start[i]` to before `start[i + 1]`.

    Row `truth[i]` of it, counted from its start, is the item that came; `context[i]` is the context (see
    `contexts`), `visit[i]` the number of the visit, `person[i]` that of the person.
    """

    columns: Floats
    proposed: Mask
    start: Int64s
    truth: Int64s
    context: Int64s
    visit: Int64s
    person: Int64s

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self.truth)

    def take(self, chosen: Int64s) -> "SampleTable":
        """Return the samples at the positions `chosen`."""
        sizes = np.diff(self.start)[chosen]
        start = np.concatenate(([0], np.cumsum(sizes)))
        rows = np.arange(start[-1]) + np.repeat(self.start[chosen] - start[:-1], sizes)
        return SampleTable(
            columns=self.columns[rows],
            proposed=self.proposed[rows],
            start=start,
            truth=self.truth[chosen],
            context=self.context[chosen],
            visit=self.visit[chosen],
            person=self.person[chosen],
        )

    def reached(self, sources: Int64s) -> Mask:
        """Return for each sample whether any of `sources` (column numbers) proposed its truth, bool [n]."""
        return np.asarray(self.proposed[self.start[:-1] + self.truth][:, sources].any(axis=1))

    def among(self, sources: Int64s) -> "SampleTable":
        """Return the samples as they would be if there were only the `sources` (column numbers, rising).

        What no other source proposed goes, samples whose truth goes too, and scores are standardized anew.
        """
        part = self.take(np.flatnonzero(self.reached(sources)))
        stays = np.asarray(part.proposed[:, sources].any(axis=1))
        place = np.concatenate(([0], np.cumsum(stays)))
        start = place[part.start]
        columns = np.ascontiguousarray(part.columns[stays][:, [*sources, -1]])
        columns[:, :-1] = _standardized(columns[:, :-1], start)
        return SampleTable(
            columns=columns,
            proposed=part.proposed[stays][:, sources],
            start=start,
            truth=place[part.start[:-1] + part.truth] - start[:-1],
            context=part.context,
            visit=part.visit,
            person=part.person,
        )

    def people(self) -> float:
        """Return how many people the samples come from, of as many samples each: Kish's effective number."""
        _, each = np.unique(self.person, return_counts=True)
        return float(each.sum()) ** 2 / max(float((each.astype(np.float64) ** 2).sum()), 1.0)


def stack(samples: Sequence[Sample], n_sources: int) -> SampleTable:
    """Return the samples whose truth is among the candidates as one table, in their order."""
    usable = [sample for sample in samples if sample.truth >= 0]
    columns = [np.empty((0, n_sources + 1), np.float32), *(sample.columns for sample in usable)]
    proposed = [np.empty((0, n_sources), np.bool_), *(sample.proposed for sample in usable)]
    return SampleTable(
        columns=np.ascontiguousarray(np.concatenate(columns), np.float32),
        proposed=np.concatenate(proposed),
        start=np.cumsum([0, *(len(sample.columns) for sample in usable)], dtype=np.int64),
        truth=np.array([sample.truth for sample in usable], np.int64),
        context=contexts_of(
            np.array([sample.length for sample in usable], np.int64),
            np.array([sample.in_session for sample in usable], np.bool_),
        ),
        visit=_numbered([sample.visit for sample in usable]),
        person=_numbered([sample.person for sample in usable]),
    )


def _numbered(numbers: Sequence[int]) -> Int64s:
    """Return `numbers` with a number of its own in place of each -1."""
    given = np.array(numbers, np.int64)
    return np.where(given < 0, -1 - np.arange(len(given)), given)


def _standardized(columns: Floats, start: Int64s) -> Floats:
    """Return `columns` with mean 0 and deviation 1 in every list; 0 where all of a list are alike."""
    if not len(columns):
        return columns
    sizes = np.diff(start)
    wide = columns.astype(np.float64)
    wide -= np.repeat(np.add.reduceat(wide, start[:-1]) / sizes[:, None], sizes, axis=0)
    deviation = np.sqrt(np.add.reduceat(wide**2, start[:-1]) / sizes[:, None])
    inverse = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 1e-6)
    return np.asarray(wide * np.repeat(inverse, sizes, axis=0), np.float32)
