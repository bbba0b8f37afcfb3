"""The statements behind a vector index: its table, and the question about the nearest rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import psycopg
from psycopg import errors, sql

from foretaste.adapters.index_identity import asked
from foretaste.domain.arrays import Doubles, Floats, Mask
from foretaste.domain.errors import UnavailableError
from foretaste.ports.vector_index import Values

Connection = psycopg.Connection[Any]

LINKS, BREADTH_WHEN_BUILT = 16, 100
MOST_LINKED_DIM = 2_000
"""pgvector's HNSW takes no longer vectors; longer ones are all compared."""
FEW = 2_000
"""Up to so many allowed rows are named and all compared; more are sent as bits."""
LEAST_VERSION = (0, 8)
BUILD_KILOBYTES = 1 << 20
"""So much memory linking may take; it is asked for as far as the rows need it."""
BYTES_PER_ROW = 600
"""What linking takes of memory for a row beside its numbers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a table beside the queries: how many rows, of which, how hard to search."""

    limit: int
    breadth: int
    ordinals: list[int] | None = None
    bits: bytes | None = None
    filters: tuple[list[str], ...] = ()
    exclude: tuple[list[str], ...] = ()
    exact: bool = False

    @classmethod
    def of(
        cls, limit: int, breadth: int, allowed: Mask | None, filters: Values | None, exclude: Values | None
    ) -> Self:
        """Return the question; few allowed rows are named and compared one by one."""
        few = allowed is not None and int(np.count_nonzero(allowed)) <= FEW
        bits = None if allowed is None or few else np.packbits(allowed, bitorder="little").tobytes()
        return cls(
            limit,
            breadth,
            ordinals=np.flatnonzero(allowed).tolist() if allowed is not None and few else None,
            bits=bits,
            filters=tuple(asked(filters)),
            exclude=tuple(asked(exclude)),
            exact=few,
        )

    def exactly(self) -> "Asked":
        """Return the same question, to be answered by comparing all rows."""
        return replace(self, exact=True)

    def conditions(self) -> tuple[sql.Composable, list[Any]]:
        """Return the condition on a row `t` and its parameters."""
        parts: list[tuple[str, Any]] = []
        if self.ordinals is not None:
            parts.append(("t.ordinal = ANY(%s::integer[])", self.ordinals))
        if self.bits is not None:
            parts.append(("get_bit(%s::bytea, t.ordinal) = 1", self.bits))
        parts += [("t.labels && %s::text[]", labels) for labels in self.filters]
        parts += [("NOT t.labels && %s::text[]", labels) for labels in self.exclude]
        condition = sql.SQL(" AND ").join(sql.SQL(part) for part, _ in parts) if parts else sql.SQL("true")
        return condition, [value for _, value in parts]


@dataclass(frozen=True, slots=True)
class VectorTable:
    """One build of an index: a table of `rows` rows with `dim` numbers; `extension` is pgvector's schema.

    The table's comment tells when the build was last wanted.
    """

    name: str
    build: str
    rows: int
    dim: int
    extension: str

    def is_there(self, connection: Connection) -> bool:
        """Return whether the table is there, which is to say whole."""
        found = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [f'"{self._called}"']).fetchone()
        return bool(found and found[0])

    @contextmanager
    def locked(self, connection: Connection) -> Iterator[None]:
        """Begin a transaction in which nobody else builds this name in this schema, and commit it."""
        with connection.transaction():
            connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' vectors ' || %s, 0)),"
                " set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true),"
                " set_config('max_parallel_maintenance_workers', '0', true),"
                " set_config('maintenance_work_mem', %s, true)",
                [self.name, f"{self._memory()}kB"],
            )
            yield

    def fill(self, connection: Connection, parts: Iterator[bytes]) -> None:
        """Make the table of `parts`, as `vector_rows.copied` gives them."""
        connection.execute(
            sql.SQL(
                "CREATE TABLE {table} (ordinal integer PRIMARY KEY,"
                " embedding {schema}.vector({dim}) NOT NULL, labels text[] NOT NULL)"
            ).format(table=self._table, schema=self._schema, dim=sql.Literal(self.dim))
        )
        statement = sql.SQL("COPY {} (ordinal, embedding, labels) FROM STDIN (FORMAT binary)")
        with connection.cursor() as cursor, cursor.copy(statement.format(self._table)) as copy:
            for part in parts:
                copy.write(part)

    def link(self, connection: Connection) -> None:
        """Link the rows to their neighbours, as far as pgvector can, and index their labels."""
        if self.dim <= MOST_LINKED_DIM:
            linked = "CREATE INDEX ON {table} USING hnsw (embedding {schema}.vector_ip_ops)"
            connection.execute(
                sql.SQL(linked + " WITH (m = {links}, ef_construction = {breadth})").format(
                    table=self._table,
                    schema=self._schema,
                    links=sql.Literal(LINKS),
                    breadth=sql.Literal(BREADTH_WHEN_BUILT),
                )
            )
        connection.execute(sql.SQL("CREATE INDEX ON {} USING gin (labels)").format(self._table))
        connection.execute(sql.SQL("ANALYZE {}").format(self._table))

    def touch(self, connection: Connection) -> None:
        """Note that the build is wanted now."""
        now = connection.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint").fetchone()
        comment = sql.Literal(f"{now[0]:020}" if now else "")
        connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(self._table, comment))

    def forget_others(self, connection: Connection, kept: int) -> None:
        """Drop all builds of this name but those `kept` last wanted; one that is being read stays for now."""
        others = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = current_schema()::regnamespace AND relname ~ %s"
            " ORDER BY obj_description(oid, 'pg_class') DESC OFFSET %s",
            [f"^vectors_{self.name}_[0-9a-f]{{16}}$", kept],
        ).fetchall()
        for (name,) in others:
            try:
                connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(name)))
            except errors.LockNotAvailable:
                continue

    def nearest(
        self, connection: Connection, queries: Sequence[str], question: Asked, *, seconds: float
    ) -> Doubles:
        """Return a row per place of an answer: query, ordinal, inner product; float64 [found, 3].

        With an iterative scan the index goes on until enough rows pass the filter.
        """
        condition, parameters = question.conditions()
        exactly = " + 0.0, t.ordinal" if question.exact else ""
        statement = sql.SQL(
            "SELECT q.place, f.ordinal, -f.distance"
            " FROM (SELECT place, text::{schema}.vector AS embedding"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS given (text, place)) AS q"
            " CROSS JOIN LATERAL (SELECT t.ordinal, {distance} AS distance FROM {table} AS t"
            " WHERE {condition} ORDER BY {distance}{exactly} LIMIT %s) AS f"
        )
        composed = statement.format(
            schema=self._schema,
            table=self._table,
            condition=condition,
            distance=sql.SQL("(t.embedding OPERATOR({}.<#>) q.embedding)").format(self._schema),
            exactly=sql.SQL(exactly),
        )
        with connection.pipeline(), connection.transaction():
            connection.execute(
                "SELECT set_config('hnsw.ef_search', %s, true),"
                " set_config('hnsw.iterative_scan', 'strict_order', true),"
                " set_config('statement_timeout', %s, true)",
                [str(question.breadth), str(int(1000 * seconds))],
            )
            cursor = connection.execute(composed, [list(queries), *parameters, question.limit], binary=True)
            answer = cursor.fetchall()
        return np.array(answer, np.float64).reshape(-1, 3)

    def vectors(self, connection: Connection, ordinals: Sequence[int]) -> Floats:
        """Return the vectors of `ordinals`, all different and rising: float32 [len(ordinals), dim]."""
        statement = sql.SQL("SELECT embedding::real[] FROM {} WHERE ordinal = ANY(%s) ORDER BY ordinal")
        found = connection.execute(statement.format(self._table), [list(ordinals)], binary=True).fetchall()
        return np.array([numbers for (numbers,) in found], np.float32).reshape(len(ordinals), self.dim)

    @property
    def _called(self) -> str:
        return f"vectors_{self.name}_{self.build}"

    @property
    def _table(self) -> sql.Identifier:
        return sql.Identifier(self._called)

    @property
    def _schema(self) -> sql.Identifier:
        return sql.Identifier(self.extension)

    def _memory(self) -> int:
        needed = self.rows * (4 * self.dim + BYTES_PER_ROW) >> 10
        return min(max(needed, 1 << 16), BUILD_KILOBYTES)


def extension_schema(connection: Connection) -> str:
    """Return the schema that pgvector is in; raise `UnavailableError` where it is missing or too old."""
    statement = (
        "SELECT n.nspname, e.extversion FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
        " WHERE e.extname = 'vector'"
    )
    found = connection.execute(statement).fetchone()
    if found is None:
        raise UnavailableError(
            "this database has no pgvector: install it at the server and run CREATE EXTENSION vector",
            field="vector_index",
        )
    if tuple(map(int, found[1].split(".")[:2])) < LEAST_VERSION:
        raise UnavailableError(
            f"pgvector {found[1]} is too old, 0.8 or later is needed: ALTER EXTENSION vector UPDATE",
            field="vector_index",
        )
    return str(found[0])
