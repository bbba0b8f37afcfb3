"""A process that appends to a log in PostgreSQL: `postgres_child.py URL SCHEMA FIRST COUNT SEED KIND`.

It submits the events from number FIRST on, COUNT of them (0: until it is killed), in batches of random
size, some twice, and writes one line `START STOP` for each batch that was acknowledged. What could not be
made durable it sends again.
"""

import os
import random
import sys
import time
from functools import cache

from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.domain.errors import UnavailableError
from foretaste.domain.event import Event
from foretaste.testing.postgres_faults import CommitsLazily

DATABASES = {"sound": PostgresDatabase, "lazy": CommitsLazily}


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


def stored(log: PostgresEventLog, batch: list[Event]) -> None:
    """Submit a batch until it is acknowledged."""
    while True:
        try:
            log.submit(batch).result()
        except UnavailableError:
            time.sleep(0.02)
        else:
            return


def main(url: str, schema: str, first: str, count: str, seed: str, kind: str) -> None:
    chance = random.Random(int(seed))
    database = DATABASES[kind](url, schema, connections=3)
    log = PostgresEventLog(database, PostgresIdMap(database))
    start, end = int(first), int(first) + (int(count) or 10**9)
    while start < end:
        stop = min(start + chance.choice([1, 1, 2, 10, 50]), end)
        batch = [numbered(number) for number in range(start, stop)]
        chance.shuffle(batch)
        stored(log, batch)
        os.write(1, f"{start} {stop}\n".encode())
        if chance.random() < 0.3:
            stored(log, [numbered(chance.randrange(int(first), stop))])
        start = stop
    log.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
