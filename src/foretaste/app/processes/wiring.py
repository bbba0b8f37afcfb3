"""How the homes of one service's processes are opened."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from foretaste.app.processes.keeper_home import KeeperHome
from foretaste.app.processes.page import SharedPage
from foretaste.app.processes.reader_home import ReaderHome
from foretaste.app.processes.stores import stores_beside_keeper
from foretaste.app.settings import Settings
from foretaste.app.stores import Stores, stores_in
from foretaste.app.wiring import home_of
from foretaste.ports.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Meeting:
    """The folder in which the processes of one service meet; it ends with the service."""

    folder: Path

    @property
    def page(self) -> Path:
        """Where the page is."""
        return self.folder / "page"

    @property
    def blend(self) -> Path:
        """Where the keeper says with which blend the model serves."""
        return self.folder / "blend.json"

    @property
    def keeper(self) -> Path:
        """Where the keeper takes calls."""
        return self.folder / "keeper.sock"

    def reader(self, slot: int) -> Path:
        """Return where a reader tells its measures."""
        return self.folder / f"reader-{slot}.sock"


def open_keeper(
    directory: Path, settings: Settings, telemetry: Telemetry, page: SharedPage, meeting: Meeting
) -> KeeperHome:
    """Open a home of files as the one process that writes it; raise `UnavailableError` if another does."""
    make = partial(KeeperHome, page=page, blend_file=meeting.blend)
    return home_of(directory, settings, stores_in(directory, settings), telemetry, make)  # type: ignore[return-value]


def open_reader(
    directory: Path, settings: Settings, telemetry: Telemetry, page: SharedPage, meeting: Meeting, slot: int
) -> ReaderHome:
    """Open a home of files beside its keeper."""
    followed = stores_beside_keeper(directory, settings)

    def make(*, stores: Stores, **parts: object) -> ReaderHome:
        del stores  # what is followed has them
        return ReaderHome(page=page, slot=slot, blend_file=meeting.blend, followed=followed, **parts)

    return home_of(directory, settings, followed.stores, telemetry, make)  # type: ignore[return-value]
