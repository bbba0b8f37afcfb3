"""A home as of the versions of a batch: it answers alike however long the batch takes."""

from foretaste.app.batch.plan import Pin
from foretaste.app.home import Home
from foretaste.app.reproducing import HomeOfOneMoment, artifact_with, catalog_at, state_at
from foretaste.serving.untrained import UNTRAINED


class PinnedHome(HomeOfOneMoment):
    """Implements `serving.live.Live` for answers of one moment; what it answers is recorded nowhere.

    State, catalog, model and blend are those of `pin`; what is told of people is as of now, since earlier
    versions are not kept. Raises `NotFoundError` where one of them is kept no more.
    """

    def __init__(self, home: Home, pin: Pin) -> None:
        super().__init__(home)
        self.state = state_at(home, pin.state_seq)
        self.catalog_columns = catalog_at(home, pin.catalog_version)
        self.artifact = None if pin.artifact == UNTRAINED else artifact_with(home, pin.artifact, pin.blend)
        self.clicks = home.click_following.at(self.artifact, pin.clicks)

    def users(self) -> list[str]:
        """Return everyone who has an event, in order of first sight."""
        names = self.id_map.names("user")[: self.state.n_users]
        return [name for user, name in enumerate(names) if self.state.summary(user).events]
