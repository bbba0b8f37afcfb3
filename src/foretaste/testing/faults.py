"""Planted faults: stores that break one promise each. A contract suite that passes one of them is no good."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future

from foretaste.adapters.sqlite.catalog import SqliteCatalog
from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.event_rows import Prepared
from foretaste.adapters.sqlite.exposure_log import SqliteExposureLog
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.adapters.sqlite.key_index import KeyIndex
from foretaste.adapters.sqlite.many_rows import Statement
from foretaste.adapters.sqlite.writer import Begin
from foretaste.domain.event import Event, EventColumns
from foretaste.ports.event_log import AppendOutcome
from foretaste.ports.id_map import IdKind


class ForgetsKeys(SqliteEventLog):
    """Does not recognize an event of an earlier batch."""

    def _stage(self, batch: Sequence[Prepared]) -> list[AppendOutcome]:
        self._keys = KeyIndex()
        return super()._stage(batch)


class ForgetsKeysOfTheBatch(SqliteEventLog):
    """Does not recognize an event that the same batch holds twice."""

    def _stage_event(self, prepared: Prepared, earlier: int) -> AppendOutcome:
        self._staged.pop(prepared.key, None)
        return super()._stage_event(prepared, earlier)


class LosesTheTail(SqliteEventLog):
    """Acknowledges a batch but does not write its last event."""

    def statements(self) -> Iterator[Statement]:
        """Write all rows but the last of several."""
        whole = self._rows
        self._rows = whole[:-1] if len(whole) > 1 else whole
        yield from super().statements()
        self._rows = whole


class ReversesBatches(SqliteEventLog):
    """Writes the events of a batch in the opposite order."""

    def _stage(self, batch: Sequence[Prepared]) -> list[AppendOutcome]:
        return super()._stage(batch[::-1])[::-1]


class AcknowledgesBeforeCommit(SqliteEventLog):
    """Resolves the future at once and writes the batch when the next one comes, or at the end."""

    def __init__(
        self,
        database: SqliteDatabase,
        id_map: SqliteIdMap,
        *,
        on_commit: Callable[[EventColumns], object] | None = None,
    ) -> None:
        super().__init__(database, id_map, on_commit=on_commit)
        self._held: list[Event] = []

    def submit(
        self, events: Sequence[Event], *, reached: Mapping[str, int] | None = None
    ) -> "Future[list[AppendOutcome]]":
        """Promise what was not done."""
        super().submit(self._held, reached=reached).result()
        self._held = list(events)
        promised: Future[list[AppendOutcome]] = Future()
        promised.set_result(
            [
                AppendOutcome(event_id=event.event_id, status="accepted", seq=self.last_seq() + place)
                for place, event in enumerate(events, 1)
            ]
        )
        return promised


class CommitsPiecemeal(SqliteEventLog):
    """Writes a batch in two transactions."""

    def submit(
        self, events: Sequence[Event], *, reached: Mapping[str, int] | None = None
    ) -> "Future[list[AppendOutcome]]":
        """Submit the halves one after the other."""
        half = len(events) // 2
        outcomes = super().submit(events[:half], reached=reached).result()
        outcomes += super().submit(events[half:]).result()
        done: Future[list[AppendOutcome]] = Future()
        done.set_result(outcomes)
        return done


class ForgetsHowFarStreamsWere(SqliteEventLog):
    """Stores events but not how far the stream was read that they came from."""

    def submit(
        self, events: Sequence[Event], *, reached: Mapping[str, int] | None = None
    ) -> "Future[list[AppendOutcome]]":
        """Submit the events alone."""
        del reached
        return super().submit(events)


class TellsSubscribersLate(SqliteEventLog):
    """Tells its subscriber about a transaction when the next one is committed."""

    def __init__(
        self,
        database: SqliteDatabase,
        id_map: SqliteIdMap,
        *,
        on_commit: Callable[[EventColumns], object] | None = None,
    ) -> None:
        waiting: list[EventColumns] = []

        def late(columns: EventColumns) -> None:
            waiting.append(columns)
            if on_commit and len(waiting) > 1:
                on_commit(waiting.pop(0))

        super().__init__(database, id_map, on_commit=late)


class ReusesOrdinals(SqliteIdMap):
    """Gives ordinals without writing them down, so that they are given again after a restart."""

    def statements(self) -> Iterator[Statement]:
        """Write nothing."""
        return iter(())


class MergesCases(SqliteIdMap):
    """Takes ids for equal that differ in upper and lower case."""

    def intern(self, kind: IdKind, ids: Iterable[str]) -> list[int]:
        """Give one ordinal to all spellings."""
        return super().intern(kind, [name.lower() for name in ids])


class KeepsTheVersion(SqliteCatalog):
    """Changes items without advancing the version of the catalog."""

    def _write(
        self, connection: sqlite3.Connection, wanted: dict[str, bytes] | dict[str, None], *, intern: bool
    ) -> int:
        self._staged_version = min(self._staged_version, 0)
        for kept in ("catalog_moment WHERE version > 0", "catalog_past"):
            connection.execute(f"DELETE FROM {kept}")  # noqa: S608 # two fixed texts
        return super()._write(connection, wanted, intern=intern)


class ForgetsDeletions(SqliteCatalog):
    """Does not tell followers that an item was deleted."""

    def delete(self, item_ids: Sequence[str]) -> int:
        """Remove the rows."""
        ordinals = self._id_map.find("item", item_ids).tolist()

        def remove(begin: Begin) -> int:
            begin().executemany("DELETE FROM catalog WHERE ordinal = ?", [(number,) for number in ordinals])
            return self._staged_version

        return self._database.writer.call(remove)


class HidesDrops(SqliteExposureLog):
    """Drops records without counting them."""

    def dropped(self) -> int:
        """Claim that nothing was dropped."""
        return 0


class StoresNothing(SqliteExposureLog):
    """Keeps all records in memory only."""

    def _store(self) -> None:
        """Write nothing."""
