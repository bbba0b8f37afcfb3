"""Read your writes over processes: `benchmarks/read_your_writes.py [--trials N] [--redis | --workers N]`.

Starts a PostgreSQL and `--replicas` (3) processes on it. In each of `--trials` (100,000) something is told to
one replica, drawn by lot (an event, or that an item is gone), and asked of another one as soon as the first
acknowledged it. A miss is an answer that does not know it, is marked stale or has a smaller `state_seq`.
With `--workers N` it is one service of N workers over a home of files, without PostgreSQL: each driver has
connections with all of them, always tells one and asks another, over HTTP.
`--drivers` (3) do so at the same time, each with people of its own. With `--redis` a Redis tells how far
people are; changes of the catalog then take half a second, so choose `--catalog-every` (10) larger. Says once
a minute how far it is. Exits with 1 if there was a miss.
"""

import argparse
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

from foretaste.testing.fresh_trials import CATALOG_EVERY, ITEMS, Asked, Trials, run_trials
from foretaste.testing.many_processes import EVERYTHING, many_processes
from foretaste.testing.replicas import Replica
from foretaste.testing.servers.postgres import postgres_url
from foretaste.testing.servers.redis import running_redis

PROGRESS_SECONDS = 60.0


class Shared:
    """A replica that several drivers ask in turn."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._turn = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return what the replica does by that name, one call at a time."""
        called = getattr(self._replica, name)

        def in_turn(*arguments: object) -> Any:
            with self._turn:
                return called(*arguments)

        return in_turn


@contextmanager
def replicas_on_servers(count: int, *, redis: bool) -> Iterator[Callable[[], list[Asked]]]:
    """Give what returns the processes that one driver asks: replicas on a PostgreSQL."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres_url())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = {"FORETASTE_DATABASE_WRITE_SECONDS": "60"}
        if redis:
            settings["FORETASTE_REDIS_URL"] = stack.enter_context(running_redis("redis"))
            settings["FORETASTE_ANSWER_CACHE"] = "none"
        started = [
            stack.enter_context(Replica(folder / str(number), url, settings)) for number in range(count)
        ]
        shared: list[Asked] = [Shared(replica) for replica in started]
        yield lambda: shared


@contextmanager
def workers_of_one_home(count: int) -> Iterator[Callable[[], list[Asked]]]:
    """Give what returns the processes that one driver asks: workers of one service."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = stack.enter_context(many_processes(folder / "home", count))
        yield lambda: [running.worker(f"reader-{slot}") for slot in range(count)]


def main() -> int:
    """Run the trials and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--drivers", type=int, default=3)
    parser.add_argument("--catalog-every", type=int, default=CATALOG_EVERY, help="of so many trials one")
    parser.add_argument("--redis", action="store_true", help="ask a Redis how far people are")
    parser.add_argument("--workers", type=int, help="so many workers of one service, instead of replicas")
    chosen = parser.parse_args()
    each = -(-chosen.trials // chosen.drivers)
    outcomes = [Trials() for _ in range(chosen.drivers)]
    if chosen.workers:
        processes, name = workers_of_one_home(chosen.workers), f"{chosen.workers} workers"
    else:
        processes, name = (
            replicas_on_servers(chosen.replicas, redis=chosen.redis),
            f"{chosen.replicas} replicas",
        )
    with processes as asked:

        def drive(number: int) -> None:
            run_trials(
                asked(),
                each,
                seed=number,
                name=f"driver-{number}",
                catalog_every=chosen.catalog_every,
                n_items=min(ITEMS, EVERYTHING // chosen.drivers),
                trials=outcomes[number],
            )

        begun = time.perf_counter()
        threads = [threading.Thread(target=drive, args=(number,)) for number in range(chosen.drivers)]
        for thread in threads:
            thread.start()
        while alive := [thread for thread in threads if thread.is_alive()]:
            alive[0].join(PROGRESS_SECONDS)
            missed = sum(len(outcome.misses) for outcome in outcomes)
            print(f"{sum(outcome.done for outcome in outcomes):,} trials, {missed} misses", flush=True)
        seconds = time.perf_counter() - begun
    done = sum(outcome.done for outcome in outcomes)
    misses = [miss for outcome in outcomes for miss in outcome.misses]
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{done:,} trials over {name}, {chosen.drivers} drivers: {len(misses)} misses")
    each_ms = (cpu.ru_utime + cpu.ru_stime) / done * 1e3
    print(f"{seconds:.0f} s; {each_ms:.1f} ms of CPU a trial in all processes that answer")
    for miss in misses[:20]:
        print(" ", miss)
    return 1 if misses or done < chosen.trials else 0


if __name__ == "__main__":
    sys.exit(main())
