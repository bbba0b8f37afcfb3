"""The end of a log in PostgreSQL, for reading only."""

from foretaste.adapters.postgres.database import OPEN_SECONDS, PostgresDatabase
from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.domain.event import Event


class PostgresEventTail:
    """Reads a log's events beside the processes that write it; every call sees what is committed by then.

    Raises `UnavailableError` where the server cannot be reached for `open_seconds`.
    """

    def __init__(self, url: str, schema: str, *, open_seconds: float = OPEN_SECONDS) -> None:
        self._database = PostgresDatabase(
            url, schema, connections=2, read_only=True, open_seconds=open_seconds
        )
        self._log = PostgresEventLog(self._database, PostgresIdMap(self._database))

    def events(self, after: int, limit: int) -> list[tuple[int, Event]]:
        """Return up to `limit` events above `after`, whole, with their numbers."""
        return self._log.events(after, limit)

    def last_seq(self) -> int:
        """Return the sequence number of the last event, 0 for an empty log."""
        self._log.catch_up()
        return self._log.last_seq()

    def close(self) -> None:
        """Close the connections."""
        self._log.close()
