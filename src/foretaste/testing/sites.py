"""Sites: where stores live, how they are opened, and what a crash leaves of them."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from foretaste.adapters.memory.catalog import MemoryCatalog
from foretaste.adapters.memory.event_log import MemoryEventLog
from foretaste.adapters.memory.exposure_log import MemoryExposureLog
from foretaste.adapters.memory.id_map import MemoryIdMap
from foretaste.adapters.sqlite.catalog import SqliteCatalog
from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.exposure_log import SqliteExposureLog
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.domain.clock import Clock
from foretaste.domain.event import EventColumns
from foretaste.ports.catalog import Catalog
from foretaste.ports.event_log import EventLog
from foretaste.ports.exposure_log import ExposureLog
from foretaste.ports.id_map import IdMap

OnCommit = Callable[[EventColumns], object] | None


@dataclass(frozen=True, slots=True)
class Stores:
    """Stores that share one id map."""

    log: EventLog
    id_map: IdMap
    catalog: Catalog


class StoreSite(Protocol):
    """Where a log, its id map and a catalog live."""

    def open(self, on_commit: OnCommit = None) -> Stores:
        """Open the stores, once at a time; empty at first."""
        ...

    def after_crash(self) -> Stores:
        """Return what another process would find if this one were killed at this moment."""
        ...

    def close(self) -> None:
        """Close all that was opened."""
        ...


class ExposureSite(Protocol):
    """Where an exposure log lives."""

    def open(self, *, bound: int, retention_days: float, clock: Clock) -> ExposureLog:
        """Open the log, in which `bound` records may wait; empty at first."""
        ...

    def after_crash(self) -> ExposureLog:
        """Return what another process would find if this one were killed at this moment."""
        ...

    def close(self) -> None:
        """Close all that was opened."""
        ...


class MemorySite:
    """Stores in memory: a crash leaves nothing."""

    def open(self, on_commit: OnCommit = None) -> Stores:
        """Return new, empty stores."""
        id_map = MemoryIdMap()
        return Stores(MemoryEventLog(id_map, on_commit=on_commit), id_map, MemoryCatalog(id_map))

    def after_crash(self) -> Stores:
        """Return new, empty stores."""
        return self.open()

    def close(self) -> None:
        """Nothing is held but memory."""


class SqliteSite:
    """Stores in a directory. The types are parameters, so that faulty ones can be put in."""

    def __init__(
        self,
        directory: Path,
        *,
        id_map: type[SqliteIdMap] = SqliteIdMap,
        log: type[SqliteEventLog] = SqliteEventLog,
        catalog: type[SqliteCatalog] = SqliteCatalog,
    ) -> None:
        self._directory = directory
        self._types = id_map, log, catalog
        self._opened: list[SqliteDatabase] = []

    def open(self, on_commit: OnCommit = None) -> Stores:
        """Open the stores of the directory."""
        return self._open(self._directory / "foretaste.db", on_commit)

    def after_crash(self) -> Stores:
        """Open a copy of the files as they are: what the operating system keeps of a killed process."""
        copy = self._directory / f"crash-{len(self._opened)}"
        copy_files(self._directory, copy, ("foretaste.db-wal", "foretaste.db"))
        return self._open(copy / "foretaste.db", None)

    def close(self) -> None:
        """Close all databases."""
        for database in self._opened:
            database.close()

    def _open(self, path: Path, on_commit: OnCommit) -> Stores:
        id_map_type, log_type, catalog_type = self._types
        database = SqliteDatabase(path)
        self._opened.append(database)
        id_map = id_map_type(database)
        return Stores(log_type(database, id_map, on_commit=on_commit), id_map, catalog_type(database, id_map))


def copy_files(source: Path, target: Path, names: Sequence[str]) -> None:
    """Copy those files that exist, in the order of `names`, to the new directory `target`."""
    target.mkdir()
    for name in names:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)


class MemoryExposureSite:
    """Exposures in memory: a crash leaves nothing."""

    def open(self, *, bound: int, retention_days: float, clock: Clock) -> ExposureLog:
        """Return a new, empty log."""
        return MemoryExposureLog(most=bound, retention_days=retention_days, clock=clock)

    def after_crash(self) -> ExposureLog:
        """Return a new, empty log."""
        return MemoryExposureLog()

    def close(self) -> None:
        """Nothing is held but memory."""


class SqliteExposureSite:
    """Exposures in a directory. The type is a parameter, so that a faulty one can be put in."""

    def __init__(self, directory: Path, log: type[SqliteExposureLog] = SqliteExposureLog) -> None:
        self._directory = directory
        self._type = log
        self._opened: list[SqliteExposureLog] = []

    def open(self, *, bound: int, retention_days: float, clock: Clock) -> ExposureLog:
        """Open the log of the directory."""
        path = self._directory / "exposures.db"
        log = self._type(path, most_waiting=bound, retention_days=retention_days, clock=clock)
        self._opened.append(log)
        return log

    def after_crash(self) -> ExposureLog:
        """Open a copy of the files as they are."""
        copy = self._directory / f"crash-{len(self._opened)}"
        copy_files(self._directory, copy, ("exposures.db-wal", "exposures.db"))
        log = SqliteExposureLog(copy / "exposures.db", retention_days=100_000.0)
        self._opened.append(log)
        return log

    def close(self) -> None:
        """Close all logs."""
        for log in self._opened:
            log.close()
