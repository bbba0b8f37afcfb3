"""The id map in PostgreSQL: given out by the database, held in memory whole and followed."""

from collections.abc import Sequence
from threading import Lock
from typing import get_args

import numpy as np

from foretaste.adapters.postgres.database import READ_SECONDS, PostgresDatabase
from foretaste.adapters.postgres.text import escaped, unescaped
from foretaste.domain.arrays import Ordinals
from foretaste.domain.errors import InvalidInputError
from foretaste.ports.id_map import IdKind

KINDS: tuple[IdKind, ...] = get_args(IdKind)
NUMBER = {kind: number for number, kind in enumerate(KINDS)}
"""How the table `name` writes a kind."""

NAMES = "SELECT id FROM name WHERE kind = %s AND ordinal >= %s ORDER BY ordinal"
ASSIGN = "SELECT assign_ordinals(%s::smallint, %s::text[])"
LONGEST_ID = 2_000
"""Bytes of an id; what is longer does not fit into an index."""


class PostgresIdMap:
    """`IdMap` over the table `name`; make one per database.

    `find` and `names` know what this process has seen: the ids that its log has told, and those it assigned.
    """

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._names: dict[IdKind, list[str]] = {kind: [] for kind in KINDS}
        self._ordinals: dict[IdKind, dict[str, int]] = {kind: {} for kind in KINDS}
        self._adopting = Lock()
        self.refresh()

    def assign(self, kind: IdKind, ids: Sequence[str]) -> Ordinals:
        """Return the ordinals of `ids`, giving new ones where needed."""
        known = self._ordinals[kind]
        if any(name not in known for name in ids):
            wanted = [checked_id(name) for name in dict.fromkeys(ids)]
            self._database.run(lambda connection: connection.execute(ASSIGN, (NUMBER[kind], wanted)))
            self.refresh(kind)
        return self.find(kind, ids)

    def find(self, kind: IdKind, ids: Sequence[str]) -> Ordinals:
        """Return the ordinals of `ids`, -1 where unknown. Answers from memory."""
        ordinals = self._ordinals[kind]
        return np.array([ordinals.get(name, -1) for name in ids], np.int32)

    def ordinal(self, kind: IdKind, one: str) -> int:
        """Return the ordinal of one id, -1 where unknown. Answers from memory."""
        return self._ordinals[kind].get(one, -1)

    def names(self, kind: IdKind, start: int = 0) -> list[str]:
        """Return the ids with ordinals from `start` on, in order. Answers from memory."""
        return self._names[kind][start:]

    def known(self, kind: IdKind) -> int:
        """Return how many ids of a kind this process knows."""
        return len(self._names[kind])

    def adopt(self, kind: IdKind, start: int, ids: Sequence[str]) -> None:
        """Take ids as the database holds them, with ordinals from `start` on; known ones are passed over."""
        if not ids:
            return
        with self._adopting:
            names, ordinals = self._names[kind], self._ordinals[kind]
            added = [unescaped(name) for name in ids[len(names) - start :]] if start <= len(names) else []
            ordinals.update((name, ordinal) for ordinal, name in enumerate(added, len(names)))
            names.extend(added)

    def refresh(self, *kinds: IdKind) -> None:
        """Learn what other processes assigned."""
        for kind in kinds or KINDS:
            start = self.known(kind)
            self.adopt(kind, start, self._stored(kind, start))

    def _stored(self, kind: IdKind, start: int) -> list[str]:
        asked = (NUMBER[kind], start)
        rows = self._database.run(
            lambda lent: lent.execute(NAMES, asked, binary=True).fetchall(), seconds=READ_SECONDS
        )
        return [name for (name,) in rows]


def checked_id(name: str) -> str:
    """Return an id as it is stored; raise `InvalidInputError` for what cannot be."""
    try:
        size = len(name) if name.isascii() else len(name.encode())
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"the id {name!r} is not well-formed Unicode (lone surrogate)", field="id"
        ) from error
    if size > LONGEST_ID:
        raise InvalidInputError(f"an id has {size} bytes; PostgreSQL takes up to {LONGEST_ID}", field="id")
    return escaped(name)
