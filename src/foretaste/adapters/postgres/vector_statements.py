"""The statements behind a vector index: its table, and the question about the nearest rows."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import psycopg
from psycopg import sql

from foretaste.domain.arrays import Doubles, Floats, Mask
from foretaste.domain.errors import UnavailableError
from foretaste.ports.vector_index import Values

LINKS, BREADTH_WHEN_BUILT = 16, 100
MOST_LINKED_DIM = 2_000
"""pgvector's HNSW takes no longer vectors; longer ones are all compared."""
FEW = 2_000
"""Up to so many allowed rows are named and all compared; more are sent as bits."""
LEAST_VERSION = (0, 8)
BUILD_MEMORY = 1 << 30
"""As much memory as linking may take; it is asked for as far as the rows need it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a table beside the queries: how many rows, of which, how hard to search."""

    limit: int
    breadth: int
    ordinals: list[int] | None = None
    bits: bytes | None = None
    filters: str | None = None
    exclude: str | None = None
    exact: bool = False

    @classmethod
    def of(
        cls, limit: int, breadth: int, allowed: Mask | None, filters: Values | None, exclude: Values | None
    ) -> Self:
        """Return the question; few allowed rows are named and compared one by one."""
        few = allowed is not None and int(np.count_nonzero(allowed)) <= FEW
        return cls(
            limit,
            breadth,
            ordinals=np.flatnonzero(allowed).tolist() if few else None,
            bits=None if few or allowed is None else np.packbits(allowed, bitorder="little").tobytes(),
            filters=_paths(filters),
            exclude=_paths(exclude),
            exact=few,
        )

    def exactly(self) -> "Asked":
        """Return the same question, to be answered by comparing all rows."""
        return replace(self, exact=True)


@dataclass(frozen=True, slots=True)
class VectorTable:
    """One build of an index: a table of `rows` rows with `dim` numbers each; `extension` is pgvector's schema."""

    name: str
    build: str
    rows: int
    dim: int
    extension: str

    @property
    def table(self) -> sql.Identifier:
        """The table's name, in the schema of the connection."""
        return sql.Identifier(f"{self._prefix}{self.build}")
