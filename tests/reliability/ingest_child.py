"""A process that ingests until it is killed: `ingest_child.py DATABASE FIRST SEED KIND`.

It submits the events from number FIRST on in batches of random size, several in flight, some of them
twice and some out of order, and writes one line `START STOP` for each batch that was acknowledged.
"""

import os
import random
import sys
from collections import deque
from concurrent.futures import Future
from functools import cache
from pathlib import Path

from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.domain.errors import SequenceGapError
from foretaste.domain.event import Event, EventColumns
from foretaste.testing.faults import AcknowledgesBeforeCommit

IN_FLIGHT = 6
LOGS = {"hasty": AcknowledgesBeforeCommit}
OFTEN = "wal_autocheckpoint = 40"
PRAGMAS = {
    "checkpointing": (OFTEN,),
    "normal": (OFTEN, "synchronous = NORMAL"),
    "off": (OFTEN, "synchronous = OFF"),
}
"""What differs from the usual; checkpoints are rare with it."""


@cache
def numbered(number: int) -> Event:
    """Return the event with this number; always the same."""
    chance = random.Random(number)
    return Event(
        event_id=f"event-{number}",
        user_id=f"user-{chance.randrange(50)}",
        item_id=f"item-{chance.randrange(200)}",
        type=chance.choice(["view", "click", "purchase"]),
        timestamp=1_700_000_000_000_000 + chance.randrange(10**12),
        context={"n": str(number)} if number % 5 == 0 else {},
    )


class Follower:
    """A fold that insists on every event once."""

    def __init__(self) -> None:
        self.seq = 0

    def apply(self, columns: EventColumns) -> None:
        if columns.previous_seq != self.seq:
            raise SequenceGapError(f"{columns.previous_seq} does not follow {self.seq}")
        self.seq = columns.last_seq


def main(path: Path, first: int, seed: int, kind: str) -> None:
    chance = random.Random(seed)
    database = SqliteDatabase(path)
    for pragma in PRAGMAS.get(kind, ()):
        database.writer._connection.execute(f"PRAGMA {pragma}")
    follower = Follower()
    log = LOGS.get(kind, SqliteEventLog)(database, SqliteIdMap(database), on_commit=follower.apply)
    follower.apply(log.read(0, 10**9))
    in_flight: deque[Future] = deque()
    start = first
    while True:
        stop = start + chance.choice([1, 1, 2, 10, 100])
        batch = [numbered(number) for number in range(start, stop)]
        chance.shuffle(batch)
        in_flight.append(submitted(log, start, stop, batch))
        if chance.random() < 0.3:
            again = chance.randrange(max(start - 200, 0), stop)
            in_flight.append(submitted(log, again, again + 1, [numbered(again)]))
        if len(in_flight) >= IN_FLIGHT:
            in_flight.popleft().result()
        start = stop


def submitted(log: SqliteEventLog, start: int, stop: int, batch: list[Event]) -> Future:
    """Submit a batch; the moment it is acknowledged, the line that says so is on its way."""
    line = f"{start} {stop}\n".encode()

    def report(future: Future) -> None:
        if future.exception() is None:
            os.write(1, line)

    future = log.submit(batch)
    future.add_done_callback(report)
    return future


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
