"""The stores of a reader: the files of a home beside the keeper that writes them."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from foretaste.adapters.files.blend_store import FileBlendStore
from foretaste.adapters.files.scenario_store import FileScenarioStore
from foretaste.adapters.sqlite.exposure_log import SqliteExposureLog
from foretaste.adapters.sqlite.followed import (
    FollowedCatalog,
    FollowedDatabase,
    FollowedEventLog,
    FollowedIdMap,
    FollowedProfiles,
)
from foretaste.app.settings import Settings
from foretaste.app.stores import (
    BLENDS,
    DATABASE,
    EXPOSURES,
    PROFILES,
    SCENARIOS,
    SNAPSHOT,
    Stores,
    namespace_folder,
    new_keeper,
)
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import InvalidQueryError
from foretaste.domain.slate import Exposure
from foretaste.pipeline.identity import parse_id

ON_THEIR_WAY_SECONDS = 1.0
"""How young a slate is whose record may still wait in another process: it is looked for once more."""


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What a reader follows, by its own kind; the same objects as in `stores`."""

    stores: Stores
    log: FollowedEventLog
    profiles: FollowedProfiles


class ExposuresOfAll(SqliteExposureLog):
    """The exposures of all processes of a service: each writes its own into one file."""

    def get(self, recommendation_id: str) -> Exposure | None:
        """Return a record, waiting for what another process may still hold back, or None."""
        found = super().get(recommendation_id)
        if found is not None or not _is_young(recommendation_id):
            return found
        with self._changed:
            self._changed.wait_for(lambda: self._closing, ON_THEIR_WAY_SECONDS)
        return super().get(recommendation_id)


def stores_beside_keeper(directory: Path, settings: Settings) -> Followed:
    """Open a directory's stores beside the process that writes them, folded up to the log's present end.

    Raises `NotFoundError` where there are none yet.
    """
    folder = namespace_folder(directory, settings)
    with ExitStack() as undo:
        database = FollowedDatabase(folder / DATABASE)
        undo.callback(database.close)
        id_map = FollowedIdMap(database)
        keeper = new_keeper(settings, lambda: id_map.names("type"), folder / SNAPSHOT)
        log = FollowedEventLog(database, id_map)
        catalog = FollowedCatalog(database, id_map)
        keeper.restore(log)
        database.follow()
        exposures = ExposuresOfAll(folder / EXPOSURES, beside=True)
        undo.callback(exposures.close)
        profiles = FollowedProfiles(folder / PROFILES)
        blends, scenarios = FileBlendStore(folder / BLENDS), FileScenarioStore(folder / SCENARIOS)
        undo.pop_all()
    stores = Stores(
        log, id_map, catalog, catalog, exposures, keeper, profiles, blends, scenarios, writable=False
    )
    return Followed(stores, log, profiles)


def _is_young(recommendation_id: str) -> bool:
    try:
        made_at = parse_id(recommendation_id).time
    except InvalidQueryError:
        return False
    return abs(system_clock() - made_at) < ON_THEIR_WAY_SECONDS * 1e6
