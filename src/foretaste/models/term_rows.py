"""Sparse rows of terms with weights, one after another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.errors import CorruptArtifactError

Row = tuple[Ordinals, Floats]
NO_TERMS: Row = (np.empty(0, np.int32), np.empty(0, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class TermRows:
    """Row i has the terms `term[start[i]:start[i + 1]]`, rising, with `weight`; `digest` is of its text."""

    start: Int64s
    term: Ordinals
    weight: Floats
    digest: Int64s

    def row(self, place: int) -> tuple[Ordinals, Floats]:
        """Return terms and weights of one row."""
        window = slice(self.start[place], self.start[place + 1])
        return self.term[window], self.weight[window]

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays by their names."""
        return {"start": self.start, "term": self.term, "weight": self.weight, "digest": self.digest}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_terms: int) -> Self:
        """Rebuild the rows; raise `CorruptArtifactError` where they point outside."""
        start, term = arrays["start"], arrays["term"]
        shaped = len(start) == len(arrays["digest"]) + 1 and len(term) == len(arrays["weight"])
        rising = shaped and start[0] == 0 and start[-1] == len(term) and bool(np.all(np.diff(start) >= 0))
        if not rising or (len(term) and not 0 <= term.min() <= term.max() < n_terms):
            raise CorruptArtifactError("the content rows of the artifact point outside; train again")
        return cls(start, term, arrays["weight"], arrays["digest"])


def term_rows(rows: Sequence[Row], digests: Sequence[int]) -> TermRows:
    """Lay rows out after one another."""
    return TermRows(
        start=np.concatenate(([0], np.cumsum([len(term) for term, _ in rows]))).astype(np.int64),
        term=np.concatenate([np.empty(0, np.int32), *(term for term, _ in rows)]),
        weight=np.concatenate([np.empty(0, np.float32), *(weight for _, weight in rows)]),
        digest=np.array(digests, np.int64),
    )
