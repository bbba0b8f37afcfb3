"""What is left of a log that `ingest_child` wrote to: each event whole, in a database that is sound."""

from contextlib import closing
from pathlib import Path

from ingest_child import numbered

from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.testing.contracts.event_log import expected, told
from foretaste.testing.sites import Stores


def stored(path: Path) -> list[int]:
    """Return the numbers of all events in the log, in its order, after checking each of them."""
    with closing(SqliteDatabase(path)) as database:
        id_map = SqliteIdMap(database)
        log = SqliteEventLog(database, id_map)
        with database.reading() as connection:
            (health,) = connection.execute("PRAGMA integrity_check").fetchone()
            ids = [event_id for (event_id,) in connection.execute("SELECT event_id FROM event ORDER BY seq")]
        assert health == "ok"
        numbers = [int(event_id.removeprefix("event-")) for event_id in ids]
        columns = log.read(0, 10**9)
        assert told(Stores(log, id_map, None), columns) == expected([numbered(number) for number in numbers])
        for kind in ("user", "item", "type"):
            assert len(set(id_map.names(kind))) == len(id_map.names(kind))
        theirs = [numbered(number) for number in numbers if numbered(number).user_id == "user-7"]
        assert log.of_user("user-7", 10**9) == sorted(theirs, key=lambda one: (one.timestamp, one.event_id))
    return numbers


def acknowledged_in(lines: list[bytes]) -> set[int]:
    """Return the numbers of the events that a child said were acknowledged, in whole lines."""
    whole = [line.split() for line in lines if line.endswith(b"\n")]
    return {number for start, stop in whole for number in range(int(start), int(stop))}


def first_unacknowledged(acknowledged: set[int]) -> int:
    """Return the number of the event to go on with."""
    return next(number for number in range(10**9) if number not in acknowledged)
