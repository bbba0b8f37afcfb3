"""A process that ingests until it is killed: `ingest_child.py DATABASE FIRST SEED`.

It submits the events from number FIRST on in batches of random size, several in flight, some of them
twice and some out of order, and writes one line `START STOP` for each batch that was acknowledged.
"""

import os
import random
import sys
from collections import deque
from functools import cache
from pathlib import Path

from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.domain.errors import SequenceGapError
from foretaste.domain.event import Event, EventColumns

IN_FLIGHT = 6


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


def main(path: str, first: str, seed: str) -> None:
    chance = random.Random(int(seed))
    database = SqliteDatabase(Path(path))
    follower = Follower()
    log = SqliteEventLog(database, SqliteIdMap(database), on_commit=follower.apply)
    follower.apply(log.read(0, 10**9))
    pending: deque = deque()
    start = int(first)
    while True:
        stop = start + chance.choice([1, 1, 2, 10, 100])
        batch = [numbered(number) for number in range(start, stop)]
        chance.shuffle(batch)
        pending.append((start, stop, log.submit(batch)))
        if chance.random() < 0.3:
            again = chance.randrange(max(start - 200, 0), stop)
            pending.append((again, again + 1, log.submit([numbered(again)])))
        if len(pending) >= IN_FLIGHT:
            begun, ended, future = pending.popleft()
            future.result()
            os.write(1, f"{begun} {ended}\n".encode())
        start = stop


if __name__ == "__main__":
    main(*sys.argv[1:])
