"""The one place that assembles an archive, and the log that it is fed from, by URL and settings."""

from pathlib import Path

from foretaste.adapters.sqlite.event_tail import SqliteEventTail
from foretaste.app.settings import Settings
from foretaste.app.stores import DATABASE, models_directory, schema_of
from foretaste.domain.errors import InvalidInputError, NotFoundError
from foretaste.domain.extras import with_extra
from foretaste.ports.event_archive import EventArchive, EventTail


def open_archive(url: str | Path, *, namespace: str) -> EventArchive:
    """Return the archive at a folder, `delta:///folder` or an object store's URL, made when first used.

    Raises `MissingExtraError` without the extra `delta`, `InvalidInputError` for no URL.
    """
    if not str(url):
        raise InvalidInputError(
            "no archive is named: give a folder or a URL, or set FORETASTE_ARCHIVE_URL", field="archive_url"
        )
    adapter = with_extra("foretaste.adapters.delta.event_archive", "archive_url")
    archive: EventArchive = adapter.DeltaEventArchive(url, namespace=namespace)
    return archive


def log_of_home(directory: Path, settings: Settings) -> EventTail:
    """Return the log of a home, or behind `database_url`, for reading beside the processes that write it.

    Raises `NotFoundError` where there is no home, `UnavailableError` where the server cannot be reached.
    """
    if settings.database_url:
        adapter = with_extra("foretaste.adapters.postgres.event_tail", "database_url")
        tail: EventTail = adapter.PostgresEventTail(settings.database_url, schema_of(settings))
        return tail
    path = models_directory(directory, settings).parent / DATABASE
    if not path.is_file():
        raise NotFoundError(f"there is no log in {directory}: --home names another home", field="home")
    return SqliteEventTail(path)
