"""The id map in SQLite: held in memory whole, extended in the transaction that needs it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import get_args

import numpy as np

from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.many_rows import ManyRows, Statement
from foretaste.domain.arrays import Ordinals
from foretaste.domain.errors import InvalidInputError
from foretaste.ports.id_map import IdKind

KINDS: tuple[IdKind, ...] = get_args(IdKind)
MOST = {"user": 2**31 - 1, "item": 2**31 - 1, "type": 1024}
"""How many ids of a kind there can be. Event types are few by nature: more are a mistake of a sender."""

LOAD = {kind: f"SELECT id FROM {kind}_id ORDER BY ordinal" for kind in KINDS}  # noqa: S608 # three fixed names
ADD = {kind: ManyRows(f"INSERT INTO {kind}_id", "ordinal, id") for kind in KINDS}


class _Ids:
    """The ids of one kind: those that are durable, and those staged by the present transaction."""

    def __init__(self, kind: IdKind, names: list[str]) -> None:
        self.kind = kind
        self.names = names
        self.ordinals = {name: ordinal for ordinal, name in enumerate(names)}
        self.staged: dict[str, int] = {}

    def intern(self, name: str) -> int:
        ordinal = self.ordinals.get(name)
        if ordinal is None:
            ordinal = self.staged.get(name)
        if ordinal is None:
            ordinal = len(self.names) + len(self.staged)
            if ordinal >= MOST[self.kind]:
                raise InvalidInputError(
                    f"there are {ordinal} different {self.kind}s already, which is the most there can be",
                    field=self.kind,
                )
            self.staged[name] = ordinal
        return ordinal

    def adopt(self) -> None:
        if self.staged:
            self.names.extend(self.staged)
            self.ordinals.update(self.staged)
            self.staged = {}


class SqliteIdMap:
    """`IdMap` over the tables `user_id`, `item_id` and `type_id` of a database; make one per database."""

    def __init__(self, database: SqliteDatabase) -> None:
        with database.reading() as connection:
            self._ids = {
                kind: _Ids(kind, [name for (name,) in connection.execute(LOAD[kind])]) for kind in KINDS
            }
        self._writer = database.writer
        self._writer.participants.append(self)

    def assign(self, kind: IdKind, ids: Sequence[str]) -> Ordinals:
        """Return the ordinals of `ids`, giving new ones where needed."""
        if any(name not in self._ids[kind].ordinals for name in ids):
            wanted = list(dict.fromkeys(ids))
            _check_text(wanted)
            self._writer.call(lambda _: self.intern(kind, wanted), len(wanted))
        return self.find(kind, ids)

    def find(self, kind: IdKind, ids: Sequence[str]) -> Ordinals:
        """Return the ordinals of `ids`, -1 where unknown. Answers from memory."""
        ordinals = self._ids[kind].ordinals
        return np.array([ordinals.get(name, -1) for name in ids], np.int32)

    def ordinal(self, kind: IdKind, one: str) -> int:
        """Return the ordinal of one id, -1 where unknown. Answers from memory."""
        return self._ids[kind].ordinals.get(one, -1)

    def names(self, kind: IdKind, start: int = 0) -> list[str]:
        """Return the ids with ordinals from `start` on, in order. Answers from memory."""
        return self._ids[kind].names[start:]

    def intern(self, kind: IdKind, ids: Iterable[str]) -> list[int]:
        """Return ordinals within the present transaction; for operations on the writer's thread."""
        return [self._ids[kind].intern(name) for name in ids]

    def interner(self, kind: IdKind) -> Callable[[str], int]:
        """Return what gives the ordinal of one id within the present transaction."""
        return self._ids[kind].intern

    def statements(self) -> Iterator[Statement]:
        """Yield what writes the ids that the transaction gave ordinals to."""
        for kind, ids in self._ids.items():
            if ids.staged:
                yield from ADD[kind].statements([(ordinal, name) for name, ordinal in ids.staged.items()])

    def committed(self) -> None:
        """Make the new ids known."""
        for ids in self._ids.values():
            ids.adopt()

    def rolled_back(self) -> None:
        """Forget the new ids."""
        for ids in self._ids.values():
            ids.staged = {}


def _check_text(ids: Sequence[str]) -> None:
    for name in ids:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise InvalidInputError(
                f"the id {name!r} is not well-formed Unicode (lone surrogate)", field="id"
            ) from error
