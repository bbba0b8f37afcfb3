"""`foretaste migrate`: tables brought to what this release needs."""

from contextlib import closing
from pathlib import Path

import msgspec
from rich.text import Text

from foretaste.app.cli.console import Screen
from foretaste.app.settings_loading import load_settings
from foretaste.app.stores import DATABASE, schema_of
from foretaste.app.wiring import open_home
from foretaste.domain.extras import with_extra


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """Where tables are, and which steps were run, none where all was up to date."""

    where: str
    steps: tuple[str, ...]


def run(*, home: Path, as_json: bool) -> None:
    """Bring the tables of the home, or behind `database_url`, up to date."""
    screen = Screen(as_json=as_json)
    settings = load_settings(home)
    if settings.database_url:
        database = with_extra("foretaste.adapters.postgres.database", "database_url")
        schema = schema_of(settings)
        with closing(database.PostgresDatabase(settings.database_url, schema, connections=2)) as opened:
            migrated = Migrated(where=f"the schema {schema} of {opened.where}", steps=opened.migrate())
    else:
        with open_home(home, beside=True, with_model=False):
            migrated = Migrated(where=str(home / DATABASE), steps=())
    screen.result(migrated, _text(migrated))


def _text(migrated: Migrated) -> Text:
    done = f": {', '.join(migrated.steps)}" if migrated.steps else ""
    return Text(f"{migrated.where} is up to date{done}")
