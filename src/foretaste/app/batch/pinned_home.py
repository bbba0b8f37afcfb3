"""A home as of the versions of a batch: it answers alike however long the batch takes."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from foretaste.adapters.memory.exposure_log import MemoryExposureLog
from foretaste.app.batch.plan import Pin
from foretaste.app.home import Home
from foretaste.app.reproducing import artifact_with, catalog_at, state_at
from foretaste.domain.item import Attribute
from foretaste.serving.untrained import UNTRAINED


class PinnedHome:
    """Implements `serving.live.Live` for answers of one moment; what it answers is recorded nowhere.

    State, catalog, model and blend are those of `pin`; what is told of people is as of now, since earlier
    versions are not kept. Raises `NotFoundError` where one of them is kept no more.
    """

    def __init__(self, home: Home, pin: Pin) -> None:
        self._home = home
        self.state = state_at(home, pin.state_seq)
        self.log = home.log
        self.id_map = home.id_map
        self.exposures = MemoryExposureLog(most=1)
        self.catalog_columns = catalog_at(home, pin.catalog_version)
        self.artifact = None if pin.artifact == UNTRAINED else artifact_with(home, pin.artifact, pin.blend)

    def circumstances_of(self, user_id: str | None) -> tuple[str, ...]:
        """Return what is known of a person now."""
        return self._home.circumstances_of(user_id)

    def attributes_of(self, user_id: str | None) -> Mapping[str, Attribute]:
        """Return what is told of a person now."""
        return self._home.attributes_of(user_id)

    @property
    def attribute_names(self) -> AbstractSet[str]:
        """The names of all attributes that people have now."""
        return self._home.attribute_names

    def catch_up(self, user_id: str | None) -> bool:
        """Say that nothing is missing: the batch is of one moment."""
        del user_id
        return True

    def users(self) -> list[str]:
        """Return everyone who has an event, in order of first sight."""
        names = self.id_map.names("user")[: self.state.n_users]
        return [name for user, name in enumerate(names) if self.state.summary(user).events]
