"""Sites in a PostgreSQL: each in a schema of its own, dropped when it is closed."""

from collections.abc import Callable

from foretaste.adapters.postgres.catalog import PostgresCatalog
from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.adapters.postgres.exposure_log import PostgresExposureLog
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.adapters.postgres.profiles import PostgresProfiles
from foretaste.domain.clock import Clock, system_clock
from foretaste.ports.catalog import Catalog
from foretaste.ports.catalog_past import CatalogPast
from foretaste.ports.exposure_log import ExposureLog
from foretaste.ports.profiles import Profiles
from foretaste.testing.servers.postgres import drop_schema, new_schema
from foretaste.testing.sites import OnCommit, Stores

PATIENCE = 60.0
"""Seconds that an append may take: tests share machines."""
FEW = 3
"""Connections per store: one server serves all tests."""


class _Schema:
    """A schema that nobody else uses, and the databases opened on it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.name = new_schema()
        self.opened: list[Callable[[], None]] = []

    def database(self) -> PostgresDatabase:
        database = PostgresDatabase(self.url, self.name, connections=FEW)
        self.opened.append(database.close)
        return database

    def close(self) -> None:
        for close in reversed(self.opened):
            close()
        drop_schema(self.url, self.name)


class PostgresSite:
    """Stores in a schema of their own. The types are parameters, so that faulty ones can be put in."""

    def __init__(
        self,
        url: str,
        *,
        database: type[PostgresDatabase] = PostgresDatabase,
        id_map: type[PostgresIdMap] = PostgresIdMap,
        log: type[PostgresEventLog] = PostgresEventLog,
        catalog: type[PostgresCatalog] = PostgresCatalog,
    ) -> None:
        self._schema = _Schema(url)
        self._types = database, id_map, log, catalog

    @property
    def schema(self) -> str:
        """The name of the schema."""
        return self._schema.name

    def open(self, on_commit: OnCommit = None) -> Stores:
        """Open the stores; opened again they are those of another process."""
        database_type, id_map_type, log_type, catalog_type = self._types
        database = database_type(self._schema.url, self._schema.name, connections=FEW)
        id_map = id_map_type(database)
        log = log_type(database, id_map, on_commit=on_commit, write_seconds=PATIENCE)
        self._schema.opened.append(log.close)
        return Stores(log, id_map, catalog_type(database, id_map))

    def after_crash(self) -> Stores:
        """Open the stores beside the others: what was committed is all there is."""
        return self.open()

    def profiles(self) -> Profiles:
        """Open the profiles."""
        return PostgresProfiles(self._schema.database())

    def shelf(self, clock: Clock, retention_days: float) -> tuple[Catalog, CatalogPast]:
        """Open a catalog with its past."""
        database = self._schema.database()
        catalog = PostgresCatalog(
            database, PostgresIdMap(database), retention_days=retention_days, clock=clock
        )
        return catalog, catalog

    def close(self) -> None:
        """Close all that was opened and drop the schema."""
        self._schema.close()


class PostgresExposureSite:
    """Exposures in a schema of their own. The type is a parameter, so that a faulty one can be put in."""

    def __init__(self, url: str, log: type[PostgresExposureLog] = PostgresExposureLog) -> None:
        self._schema = _Schema(url)
        self._type = log

    def open(self, *, bound: int, retention_days: float, clock: Clock) -> ExposureLog:
        """Open the log of the schema."""
        return self._opened(self._type, bound=bound, retention_days=retention_days, clock=clock)

    def after_crash(self) -> ExposureLog:
        """Open the log beside the others."""
        return self._opened(PostgresExposureLog, bound=1_000, retention_days=100_000.0, clock=system_clock)

    def close(self) -> None:
        """Close all logs and drop the schema."""
        self._schema.close()

    def _opened(
        self, kind: type[PostgresExposureLog], *, bound: int, retention_days: float, clock: Clock
    ) -> ExposureLog:
        log = kind(self._schema.database(), most_waiting=bound, retention_days=retention_days, clock=clock)
        self._schema.opened.append(log.close)
        return log
