"""Durable events a second on PostgreSQL: `python benchmarks/postgres.py [--present 200000] [--seconds 8]`.

Starts a PostgreSQL of its own with fsync on, fills the log with `--present` events, then appends for
`--seconds` each: single events from 1, 16 and 64 senders at once, and batches of 1,000 and 20,000. Beside it
pgbench inserts single rows, and rows by the thousand, into a plain table with one index on the same server:
the raw speed, of which our overhead is a ratio. Then what an answer asks before it is given, a poll of the
log, and reading it all. Wall time on a shared machine is noise: ratios are taken in the same minute, and CPU
is given, of this process and of the server (on Linux).
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import psycopg

from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.adapters.postgres.follower import PostgresFollower
from foretaste.adapters.postgres.id_map import PostgresIdMap
from foretaste.domain.event import Event
from foretaste.testing.servers.postgres import PostgresServer, own_postgres

USERS, ITEMS = 50_000, 20_000
RAW_TABLE = """CREATE TABLE raw (seq bigserial PRIMARY KEY, user_ordinal int, item_ordinal int, time bigint,
    event_id text)"""
RAW_ONE = (
    "INSERT INTO raw (user_ordinal, item_ordinal, time, event_id) VALUES (1, 2, 3, md5(random()::text));"
)
RAW_MANY = """INSERT INTO raw (user_ordinal, item_ordinal, time, event_id)
    SELECT n % 50000, n % 20000, n, md5(random()::text) FROM generate_series(1, 1000) AS n;"""


def events(start: int, count: int, run: str) -> list[Event]:
    """Return events that are new in each run."""
    return [
        Event(
            event_id=f"{run}-{number}",
            user_id=f"user-{number * 7919 % USERS}",
            item_id=f"item-{number * 104729 % ITEMS}",
            type="view",
            timestamp=1_700_000_000_000_000 + number * 1_000_000,
        )
        for number in range(start, start + count)
    ]


def rate(log: PostgresEventLog, seconds: float, *, senders: int, size: int) -> float:
    """Return the events a second that `senders` get acknowledged, `size` at a time each."""
    done = [0] * senders
    until = time.perf_counter() + seconds

    def send(place: int) -> None:
        while time.perf_counter() < until:
            log.submit(events(done[place], size, f"{senders}-{size}-{place}-{until}")).result()
            done[place] += size

    begun = time.perf_counter()
    threads = [threading.Thread(target=send, args=(place,)) for place in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - begun)


def raw_rate(server: PostgresServer, seconds: int, *, clients: int, script: str) -> float:
    """Return the statements a second that pgbench gets through."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [
            str(server.program("pgbench")),
            "-n",
            "-c",
            str(clients),
            "-j",
            "1",
            "-T",
            str(seconds),
        ]
        told = subprocess.run(
            [*command, "-f", file.name, server.url], check=True, capture_output=True, text=True
        ).stdout
    line = next(line for line in told.splitlines() if line.startswith("tps"))
    return float(line.split()[2])


def server_seconds(postmaster: int) -> float:
    """Return the CPU time of the server and of all its processes so far, ended ones included."""
    spent = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(folder.name) == postmaster:
            spent += sum(int(field) for field in fields[11:15])
        elif int(fields[1]) == postmaster:
            spent += int(fields[11]) + int(fields[12])
    return spent / os.sysconf("SC_CLK_TCK")


def parent_of(process: int) -> int:
    """Return the process that started another one."""
    stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[1])


def milliseconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median time of a call."""
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[repeats // 2] * 1e3


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--present", type=int, default=200_000)
    parser.add_argument("--seconds", type=int, default=8)
    chosen = parser.parse_args()
    with own_postgres({"shared_buffers": "256MB", "max_wal_size": "4GB"}, from_wheel=True) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(RAW_TABLE)
            postmaster = parent_of(connection.info.backend_pid)
        database = PostgresDatabase(server.url, "foretaste_bench")
        log = PostgresEventLog(database, PostgresIdMap(database), write_seconds=120.0)
        for start in range(0, chosen.present, 20_000):
            log.submit(events(start, 20_000, "present")).result()
        print(f"{log.last_seq():,} events present")
        for senders, size in ((1, 1), (16, 1), (64, 1), (1, 1_000), (1, 20_000)):
            cpu, theirs = time.process_time(), server_seconds(postmaster)
            ours = rate(log, chosen.seconds, senders=senders, size=size)
            each = 1e6 / chosen.seconds / ours
            cpu, theirs = (time.process_time() - cpu) * each, (server_seconds(postmaster) - theirs) * each
            before = server_seconds(postmaster)
            raw = raw_rate(server, chosen.seconds, clients=senders, script=RAW_ONE if size == 1 else RAW_MANY)
            rows = raw if size == 1 else raw * 1_000
            plain = (server_seconds(postmaster) - before) / chosen.seconds / rows * 1e6
            print(
                f"{senders} senders of {size}: {ours:,.0f} events/s, each {cpu:.0f} µs of our CPU and "
                f"{theirs:.0f} of the server; pgbench {rows:,.0f} rows/s, each {plain:.0f} of the server: "
                f"{ours / rows:.0%}",
                flush=True,
            )
        follower = PostgresFollower(database, log, answer_seconds=30.0)
        print(f"head of a person: {milliseconds(lambda: follower.head_of('user-7'), 300):.2f} ms")
        follower.close()
        print(f"poll without news: {milliseconds(log.catch_up, 300):.2f} ms")
        begun = time.perf_counter()
        count = len(log.read(0, 10**9))
        print(f"read: {count / (time.perf_counter() - begun):,.0f} events/s")
        log.close()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{spent.ru_utime + spent.ru_stime:.0f} s of CPU in PostgreSQL and pgbench")
    return 0


if __name__ == "__main__":
    sys.exit(main())
