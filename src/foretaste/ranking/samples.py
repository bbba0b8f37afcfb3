"""What the blend learns from: lists of candidates of which one was the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Floats, Int64s


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The candidates of one past query, and what the person did next.

    `columns` float32 [n_candidates, n_sources + 1] are the standardized scores of the sources and, last,
    the boost, in order of item ordinal. `truth` is the row of the item that came next, -1 where it was
    not among the candidates. `length` is the length of the history that was scored.
    """

    columns: Floats
    truth: int
    length: int


@dataclass(frozen=True, slots=True, eq=False)
class SampleTable:
    """Samples after one another: list i is `columns[start[i]:start[i + 1]]`, its row `truth[i]` came."""

    columns: Floats
    start: Int64s
    truth: Int64s
    length: Int64s

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self.truth)

    def take(self, chosen: Int64s) -> "SampleTable":
        """Return the samples at the positions `chosen`."""
        sizes = np.diff(self.start)[chosen]
        start = np.concatenate(([0], np.cumsum(sizes)))
        rows = np.arange(start[-1]) + np.repeat(self.start[chosen] - start[:-1], sizes)
        return SampleTable(self.columns[rows], start, self.truth[chosen], self.length[chosen])


def stack(samples: Sequence[Sample], n_columns: int) -> SampleTable:
    """Return the samples whose truth is among the candidates as one table, in their order."""
    usable = [sample for sample in samples if sample.truth >= 0]
    columns = [np.empty((0, n_columns), np.float32), *(sample.columns for sample in usable)]
    return SampleTable(
        columns=np.ascontiguousarray(np.concatenate(columns), np.float32),
        start=np.cumsum([0, *(len(sample.columns) for sample in usable)], dtype=np.int64),
        truth=np.array([sample.truth for sample in usable], np.int64),
        length=np.array([sample.length for sample in usable], np.int64),
    )
