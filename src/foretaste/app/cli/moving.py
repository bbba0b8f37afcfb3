"""`foretaste export` and `foretaste import`: all that a deployment holds, to files and from files."""

from pathlib import Path
from typing import Literal

from rich.text import Text

from foretaste.adapters.files.export_folder import read_export_manifest
from foretaste.app.cli.console import Screen
from foretaste.app.moving import Moved, export_home, import_home
from foretaste.app.wiring import open_home


def run(*, action: Literal["export", "import"], folder: Path, home: Path, as_json: bool) -> None:
    """Write everything to `folder`, or take everything from it."""
    screen = Screen(as_json=as_json)
    exports = action == "export"
    if not exports:
        read_export_manifest(folder)  # what is no export is refused before there is a home
    with (
        open_home(home, read_only=exports, create=not exports, with_model=False) as opened,
        screen.progress(f"{action}ing events") as advance,
    ):
        moved = (export_home if exports else import_home)(opened, folder, advance=advance)
    screen.result(moved, _text(moved, action))


def _text(moved: Moved, action: str) -> Text:
    return Text(
        f"{moved.events:,} events, {moved.items:,} items, {moved.people:,} people, "
        f"{moved.exposures:,} shown slates and {moved.models} models {action}ed"
    )
