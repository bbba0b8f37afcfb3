"""Vector indexes in PostgreSQL by pgvector: HNSW, filters in the same statement."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psycopg

from foretaste.adapters.index_file import ServerIndexHeader, corrupt_index, read_index, write_index
from foretaste.adapters.index_identity import build_of, name_of
from foretaste.adapters.index_input import best_first, checked_ordinals, checked_question, checked_rows
from foretaste.adapters.index_recall import BEST, LEAST_RECALL, least_effort
from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.vector_rows import as_text, copied
from foretaste.adapters.postgres.vector_statements import Asked, VectorTable, extension_schema
from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask, Ordinals
from foretaste.domain.errors import InvalidInputError, UnavailableError
from foretaste.ports.vector_index import Labels, Values

T = TypeVar("T")

SEARCH_SECONDS = 5.0
"""How long a search may take; a batch of queries is one search."""
BUILD_SECONDS = 3 * 3600.0
LEAST_BREADTH, MOST_BREADTH = 40, 1000
"""`hnsw.ef_search` is between these: what pgvector starts from, and the most that it takes."""
LABELLED_HARDER = 4
"""How much wider the queue is with a filter by labels, whose share of the rows is not known before."""
LARGEST_DIM = 16_000
KEPT = 2
"""So many builds of a name are kept: who searches the one before is not cut off by the next."""
QUERIES_AT_ONCE = 256


class PgVectorHeader(ServerIndexHeader, frozen=True, tag="pgvector"):
    """A build in the tables of a schema."""

    schema: str


class PgVectorIndex:
    """One index in a PostgreSQL database, called `name`; `recall` tells what was measured when it was built.

    Each build is a table of its own that is never changed, named by its content: another process that builds
    the same finds it there, and no search ever sees half a build. The last two builds of a name are kept.
    Raises `UnavailableError` where the server does not answer, or lacks pgvector 0.8.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        name: str = "items",
        *,
        breadth: int | None = None,
        least_recall: float = LEAST_RECALL,
        seconds: float = SEARCH_SECONDS,
    ) -> None:
        self._database = database
        self._name = name_of(name)
        self._breadth = breadth
        self._least_recall = least_recall
        self._seconds = seconds
        self._extension = self._run(extension_schema)
        self._table: VectorTable | None = None
        self._effort, self.recall = LEAST_BREADTH, 1.0

    @property
    def effort(self) -> int:
        """The breadth of the queue in a search."""
        return self._effort

    def build(self, vectors: Floats, labels: Sequence[Labels] | None = None) -> None:
        """Copy the rows into a table, link them, measure. See `VectorIndex`."""
        rows = checked_rows(vectors, labels)
        if rows.shape[1] > LARGEST_DIM:
            raise InvalidInputError(f"pgvector takes at most {LARGEST_DIM} numbers a vector", field="vectors")
        table = self._table_of(build_of(rows, labels), len(rows), max(1, rows.shape[1]))
        self._run(lambda connection: _make(connection, table, rows, labels), seconds=BUILD_SECONDS)

        def ask(questions: Floats, breadth: int) -> Int64s:
            asked = Asked(limit=min(BEST, len(rows)), breadth=breadth)
            return self._found(table, questions, asked)[0]

        self._effort, self.recall = least_effort(
            ask,
            rows,
            first=LEAST_BREADTH,
            most=MOST_BREADTH,
            effort=self._breadth,
            least=self._least_recall,
        )
        self._table = table

    def search(
        self,
        queries: Floats,
        k: int,
        allowed: Mask | None = None,
        *,
        filters: Values | None = None,
        exclude: Values | None = None,
    ) -> tuple[Ordinals, Floats]:
        """Ask the server, all queries in one statement. See `VectorIndex`.

        Where fewer came than might be there, those queries are asked again of all rows.
        """
        n, dim = (0, 0) if self._table is None else (self._table.rows, self._table.dim)
        asked = checked_question(queries, k, allowed, rows=n, dim=dim)
        most = n if allowed is None else int(np.count_nonzero(allowed))
        wanted = min(k, most)
        ordinals = np.full((len(asked), k), -1, np.int64)
        scores = np.full((len(asked), k), -np.inf, np.float32)
        if wanted and self._table is not None:
            harder = n / most * (LABELLED_HARDER if filters or exclude else 1)
            breadth = min(MOST_BREADTH, int(self._effort * harder))
            question = Asked.of(wanted, breadth, allowed, filters, exclude)
            ordinals[:, :wanted], scores[:, :wanted] = self._found(self._table, asked, question)
            short = np.flatnonzero((ordinals[:, :wanted] < 0).any(axis=1))
            if len(short) and not question.exact:
                found = self._found(self._table, asked[short], question.exactly())
                ordinals[short, :wanted], scores[short, :wanted] = found
        return best_first(ordinals, scores)

    def rows(self, ordinals: Ordinals) -> Floats:
        """Return rows. See `VectorIndex`."""
        table = self._table
        wanted = checked_ordinals(ordinals, 0 if table is None else table.rows)
        if table is None or not len(wanted):
            return np.empty((0, 0 if table is None else table.dim), np.float32)
        different, places = np.unique(wanted, return_inverse=True)
        found = self._run(lambda connection: table.vectors(connection, different.tolist()))
        return found[places]

    def save(self, path: Path) -> None:
        """Write which build this is; the rows stay at the server. See `VectorIndex`."""
        if self._table is None:
            raise UnavailableError("an index that was never built cannot be saved", field="vector_index")
        table = self._table
        header = PgVectorHeader(
            schema=self._database.schema,
            name=self._name,
            build=table.build,
            rows=table.rows,
            dim=table.dim,
            effort=self._effort,
            recall=self.recall,
        )
        write_index(path, header, b"")

    def load(self, path: Path) -> None:
        """Take the build that was saved, if the server still has it. See `VectorIndex`."""
        header, _, _ = read_index(path, PgVectorHeader)
        if header.schema != self._database.schema:
            raise corrupt_index(path, f"is of the schema {header.schema!r}, not of {self._database.schema!r}")
        table = VectorTable(header.name, header.build, header.rows, header.dim, self._extension)
        if not self._run(table.is_there):
            raise corrupt_index(path, f"names a build that {self._database.where} does not have any more")
        self._table, self._name = table, header.name
        self._effort, self.recall = header.effort, header.recall

    def _table_of(self, build: str, rows: int, dim: int) -> VectorTable:
        return VectorTable(self._name, build, rows, dim, self._extension)

    def _found(self, table: VectorTable, queries: Floats, asked: Asked) -> tuple[Int64s, Floats]:
        ordinals = np.full((len(queries), asked.limit), -1, np.int64)
        scores = np.full((len(queries), asked.limit), -np.inf, np.float32)
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            answer = self._answer(table, queries[start : start + QUERIES_AT_ONCE], asked)
            place = answer[:, 0].astype(np.int64) - 1
            rank = np.arange(len(place)) - np.searchsorted(place, place)
            ordinals[start + place, rank] = answer[:, 1]
            scores[start + place, rank] = answer[:, 2]
        return ordinals, scores

    def _answer(self, table: VectorTable, queries: Floats, asked: Asked) -> Doubles:
        """Return what `VectorTable.nearest` does, query by query."""
        texts = [as_text(query) for query in queries]
        found = self._run(lambda connection: table.nearest(connection, texts, asked, seconds=self._seconds))
        ordered: Doubles = found[np.argsort(found[:, 0], kind="stable")]
        return ordered

    def _run(self, work: Callable[[psycopg.Connection[Any]], T], *, seconds: float | None = None) -> T:
        try:
            return self._database.run(work, seconds=self._seconds if seconds is None else seconds)
        except UnavailableError as error:
            if isinstance(error.__cause__, psycopg.errors.UndefinedTable):
                raise UnavailableError(
                    f"the index {self._name!r} was built anew since; build or load the present one",
                    field="vector_index",
                ) from error
            raise


def _make(
    connection: psycopg.Connection[Any], table: VectorTable, rows: Floats, labels: Sequence[Labels] | None
) -> None:
    """Make the table in one transaction, one builder of a name at a time, or take what is there."""
    with table.locked(connection):
        if not table.is_there(connection):
            table.fill(connection, copied(rows.reshape(len(rows), table.dim), labels))
            table.link(connection)
        table.touch(connection)
    table.forget_others(connection, KEPT)
