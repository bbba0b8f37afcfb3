"""The stores of a home: where its settings say, the same for reading only, or in memory."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from foretaste.adapters.files.blend_store import FileBlendStore
from foretaste.adapters.files.scenario_store import FileScenarioStore
from foretaste.adapters.memory.blend_store import MemoryBlendStore
from foretaste.adapters.memory.catalog import MemoryCatalog
from foretaste.adapters.memory.event_log import MemoryEventLog
from foretaste.adapters.memory.exposure_log import MemoryExposureLog
from foretaste.adapters.memory.id_map import MemoryIdMap
from foretaste.adapters.memory.profiles import MemoryProfiles
from foretaste.adapters.memory.scenario_store import MemoryScenarioStore
from foretaste.adapters.sqlite.catalog import SqliteCatalog
from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.exposure_log import SqliteExposureLog
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.adapters.sqlite.profiles import SqliteProfiles
from foretaste.adapters.sqlite.read_only import ReadOnlyDatabase, ReadOnlyExposures, ReadOnlyProfiles
from foretaste.app.condition import Complaint
from foretaste.app.keeper import Saving, StateKeeper, always
from foretaste.app.settings import Settings
from foretaste.domain.extras import with_extra
from foretaste.events.weights import event_weights
from foretaste.features.state import State, StateConfig
from foretaste.ports.blend_store import BlendStore
from foretaste.ports.catalog import Catalog
from foretaste.ports.catalog_past import CatalogPast
from foretaste.ports.event_log import EventLog
from foretaste.ports.exposure_log import ExposureLog
from foretaste.ports.freshness import Freshness
from foretaste.ports.id_map import IdMap
from foretaste.ports.profiles import Profiles
from foretaste.ports.scenario_store import ScenarioStore
from foretaste.ports.telemetry import Telemetry

PROFILES = "profiles.db"
BLENDS = "blends.jsonl"
SCENARIOS = "scenarios.jsonl"
DATABASE, EXPOSURES, SNAPSHOT, MODELS = "foretaste.db", "exposures.db", "state.safetensors", "models"


@dataclass(frozen=True, slots=True, eq=False)
class Stores:
    """Where everything is kept, with the state folded up to the log's end."""

    log: EventLog
    id_map: IdMap
    catalog: Catalog
    catalog_past: CatalogPast
    exposures: ExposureLog
    keeper: StateKeeper
    profiles: Profiles
    blends: BlendStore
    scenarios: ScenarioStore = field(default_factory=MemoryScenarioStore)
    writable: bool = True
    freshness: Freshness | None = None
    """What other processes write to the same stores; None where there can be none."""
    complaints: tuple[Complaint, ...] = ()
    """What each server behind the stores has to say of itself."""
    release: Callable[[], object] = lambda: None
    """Gives up what makes the home's folder that of this process."""

    def close(self) -> None:
        """Save the state and release everything, in the reverse order of opening."""
        if self.freshness is not None:
            self.freshness.close()
        self.exposures.close()
        self.profiles.close()
        if self.writable:
            self.keeper.close(self.log)
        self.log.close()
        self.release()


def stores_at(
    directory: Path,
    settings: Settings,
    telemetry: Telemetry,
    *,
    read_only: bool = False,
    beside: bool = False,
) -> Stores:
    """Open the stores of a home: behind `database_url` if that is set, else in its directory.

    With `beside` a replica may have the directory, if the truth is behind `database_url`.

    Raises `UnavailableError` where they cannot be reached or another process has the directory, and
    `MissingExtraError` without the extra `postgres`.
    """
    if not settings.database_url:
        return stores_for_reading(directory, settings) if read_only else stores_in(directory, settings)
    postgres = with_extra("foretaste.app.postgres_stores", "database_url")
    opened: Stores = postgres.stores_in_postgres(
        namespace_folder(directory, settings), settings, telemetry, read_only=read_only, beside=beside
    )
    return opened


def schema_of(settings: Settings) -> str:
    """Return the schema in which the tables of a namespace are."""
    return settings.database_schema or f"foretaste_{settings.namespace}"


def stores_in(directory: Path, settings: Settings) -> Stores:
    """Open a directory's stores as their only writer, creating what is absent.

    Raises `UnavailableError` where another process writes them.
    """
    namespace = namespace_folder(directory, settings)
    with ExitStack() as undo:
        database = SqliteDatabase(namespace / DATABASE)
        undo.callback(database.close)
        id_map = SqliteIdMap(database)
        keeper = new_keeper(settings, lambda: id_map.names("type"), namespace / SNAPSHOT)
        log = SqliteEventLog(database, id_map, on_commit=keeper.fold)
        catalog = SqliteCatalog(database, id_map, retention_days=settings.exposure_days)
        exposures = SqliteExposureLog(namespace / EXPOSURES, retention_days=settings.exposure_days)
        undo.callback(exposures.close)
        profiles = SqliteProfiles(namespace / PROFILES)
        undo.callback(profiles.close)
        keeper.restore(log)
        keeper.watch(log)
        undo.pop_all()
    blends, scenarios = FileBlendStore(namespace / BLENDS), FileScenarioStore(namespace / SCENARIOS)
    return Stores(log, id_map, catalog, catalog, exposures, keeper, profiles, blends, scenarios)


def stores_for_reading(directory: Path, settings: Settings) -> Stores:
    """Open a directory's stores as they are now, beside the process that writes them."""
    namespace = namespace_folder(directory, settings)
    with ExitStack() as undo:
        database = ReadOnlyDatabase(namespace / DATABASE)
        undo.callback(database.close)
        id_map = SqliteIdMap(database)
        keeper = new_keeper(settings, lambda: id_map.names("type"), namespace / SNAPSHOT)
        log = SqliteEventLog(database, id_map)
        catalog = SqliteCatalog(database, id_map)
        keeper.restore(log)
        exposures = ReadOnlyExposures(namespace / EXPOSURES)
        undo.callback(exposures.close)
        profiles = ReadOnlyProfiles(namespace / PROFILES)
        undo.pop_all()
    blends, scenarios = FileBlendStore(namespace / BLENDS), FileScenarioStore(namespace / SCENARIOS)
    return Stores(
        log, id_map, catalog, catalog, exposures, keeper, profiles, blends, scenarios, writable=False
    )


def stores_in_memory(settings: Settings) -> Stores:
    """Return empty stores that end with the process."""
    id_map = MemoryIdMap()
    keeper = new_keeper(settings, lambda: id_map.names("type"), None)
    log = MemoryEventLog(id_map, on_commit=keeper.fold)
    catalog = MemoryCatalog(id_map, retention_days=settings.exposure_days)
    exposures = MemoryExposureLog(retention_days=settings.exposure_days)
    profiles = MemoryProfiles()
    return Stores(log, id_map, catalog, catalog, exposures, keeper, profiles, MemoryBlendStore())


def models_directory(directory: Path, settings: Settings) -> Path:
    """Return where a home keeps its models."""
    return namespace_folder(directory, settings) / MODELS


def state_config(settings: Settings) -> StateConfig:
    """Return what the state remembers, by the settings."""
    weights = event_weights(settings.weights)
    if settings.half_lives:
        return StateConfig(
            history_length=settings.history_length, weights=weights, half_lives=settings.half_lives
        )
    return StateConfig(history_length=settings.history_length, weights=weights)


def new_keeper(
    settings: Settings,
    type_names: Callable[[], list[str]],
    snapshot: Path | None,
    saving: Saving = always,
) -> StateKeeper:
    """Return a keeper of an empty state, which saves snapshots while `saving` gives True.

    It reads `snapshot` meanwhile, until its `restore`.
    """
    state = State(state_config(settings), type_names)
    keeper = StateKeeper(state, snapshot, snapshot_events=settings.snapshot_events, saving=saving)
    keeper.begin()
    return keeper


def namespace_folder(directory: Path, settings: Settings) -> Path:
    """Return the folder of the namespace: the home itself for the usual one."""
    return directory if settings.namespace == "default" else directory / settings.namespace
