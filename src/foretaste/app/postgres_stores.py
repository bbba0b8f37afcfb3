"""The stores of a home whose truth is in PostgreSQL; its directory keeps models and snapshots only."""

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from foretaste.adapters.postgres.blend_store import PostgresBlendStore
from foretaste.adapters.postgres.catalog import PostgresCatalog
from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.adapters.postgres.exposure_log import PostgresExposureLog, ReadExposures
from foretaste.adapters.postgres.follower import PostgresFollower
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.adapters.postgres.profiles import PostgresProfiles
from foretaste.adapters.postgres.scenario_store import PostgresScenarioStore
from foretaste.adapters.postgres.trust import PostgresTrust
from foretaste.app.condition import MOST_LAG_SECONDS, Complaint
from foretaste.app.home_lock import lent, replica_lock
from foretaste.app.keeper import Saving, always
from foretaste.app.settings import Settings
from foretaste.app.stores import SNAPSHOT, Stores, new_keeper, schema_of
from foretaste.domain.extras import with_extra
from foretaste.ports.freshness import Freshness
from foretaste.ports.telemetry import Telemetry

LEAST_BLEND_SECONDS = 1.0
"""How long it may take to agree on a blend, where an answer may wait for less."""


def stores_in_postgres(
    folder: Path, settings: Settings, telemetry: Telemetry, *, read_only: bool = False, beside: bool = False
) -> Stores:
    """Open the stores behind `database_url`, with the state's snapshots in `folder`.

    Where `redis_url` is set, what is there says how far people are.

    Any number of processes may, each with a folder of its own; each follows what the others write. With
    `beside` a replica may have the folder: then no snapshots are written. With `read_only` the stores are
    those of this moment, nothing is followed, and the server refuses to write.

    Raises `UnavailableError` where the server cannot be reached, or another replica has the folder.
    """
    with ExitStack() as undo:
        release = _no_lock
        if not (read_only or beside):
            release = replica_lock(folder).release
            undo.callback(release)
        database = PostgresDatabase(
            settings.database_url,
            schema_of(settings),
            connections=settings.database_connections,
            read_only=read_only,
        )
        undo.callback(database.close)
        saving = _saving(folder, beside=beside)
        stores, log = _as_of_now(database, folder, settings, saving, undo)
        if not read_only:
            folder.mkdir(parents=True, exist_ok=True)
            stores.keeper.watch(log)
            stores = replace(_followed(stores, log, database, settings, telemetry, undo), release=release)
        undo.pop_all()
    return stores


def _as_of_now(
    database: PostgresDatabase, folder: Path, settings: Settings, saving: Saving, undo: ExitStack
) -> tuple[Stores, PostgresEventLog]:
    """Return the stores for reading, the state folded up to the log's present end, and the log."""
    id_map = PostgresIdMap(database)
    keeper = new_keeper(settings, lambda: id_map.names("type"), folder / SNAPSHOT, saving)
    log = PostgresEventLog(
        database, id_map, on_commit=keeper.fold, write_seconds=settings.database_write_seconds
    )
    undo.callback(log.close)
    catalog = PostgresCatalog(database, id_map, retention_days=settings.exposure_days)
    blends = PostgresBlendStore(
        database,
        retention_days=settings.exposure_days,
        seconds=max(settings.database_answer_seconds, LEAST_BLEND_SECONDS),
    )
    keeper.restore(log)
    stores = Stores(
        log=log,
        id_map=id_map,
        catalog=catalog,
        catalog_past=catalog,
        exposures=ReadExposures(database),
        keeper=keeper,
        profiles=PostgresProfiles(database),
        blends=blends,
        scenarios=PostgresScenarioStore(database),
        writable=False,
    )
    return stores, log


def _followed(
    stores: Stores,
    log: PostgresEventLog,
    database: PostgresDatabase,
    settings: Settings,
    telemetry: Telemetry,
    undo: ExitStack,
) -> Stores:
    """Return the same stores for writing, which follow what other processes write."""
    exposures = PostgresExposureLog(database, retention_days=settings.exposure_days)
    follower = PostgresFollower(database, log, answer_seconds=settings.database_answer_seconds)
    freshness: Freshness = follower
    undo.callback(follower.close)
    complaints = [_away(database, follower)]
    if settings.redis_url:
        wiring = with_extra("foretaste.app.online_wiring", "redis_url")
        trust = PostgresTrust(database)
        online = wiring.online(settings, freshness, stores.keeper.state, stores.id_map, trust, telemetry)
        freshness, log.on_append = online.freshness, online.publish
        complaints.append(online.complaint)
    return replace(
        stores,
        exposures=exposures,
        writable=True,
        freshness=freshness,
        complaints=tuple(complaints),
    )


def _saving(folder: Path, *, beside: bool) -> Saving:
    """Return what says whether a snapshot may be written now."""
    return partial(lent, folder) if beside else always


def _no_lock() -> None:
    """Give nothing up: the folder is not this process's."""


def _away(database: PostgresDatabase, follower: PostgresFollower) -> Complaint:
    """Return what says that the end of the log was not seen for long, and why."""

    def complaint() -> str | None:
        lag = follower.lag_seconds()
        if lag <= MOST_LAG_SECONDS:
            return None
        why = " ".join(follower.trouble().split())
        return (
            f"PostgreSQL at {database.where}: the log was last seen {lag:.0f} s ago; answers come from what "
            f"was known then, events may be refused{why and f' ({why})'}"
        )

    return complaint
