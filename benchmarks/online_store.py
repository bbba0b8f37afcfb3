"""People's records in Redis and Valkey: what an operation and a person cost, beside bare GET and SET.

`python benchmarks/online_store.py [--users 100000] [--events 2000000] [--family redis] [--url URL]`

Made-up people with uneven numbers of events are folded into a state and put into a server of each family
(from the PATH or the wheels, or the one at `--url`). Then, at random people: records are read and decoded,
events folded, one at a time and a hundred to a call; and strings of the same length are read and written
through redis-py's client as it comes, and by `redis-benchmark` where that is on the PATH. CPU is that of this
process and of the server (`INFO cpu`), each per operation; wall time is the median of calls. No persistence.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import redis

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.redis.online_store import RedisOnlineStore
from foretaste.domain.event import EventColumns
from foretaste.domain.person import Person
from foretaste.features.person import limits_of, people_events, person_of, previous_seqs
from foretaste.features.state import State, StateConfig
from foretaste.testing.event_factories import EPOCH, EVENT_TYPES
from foretaste.testing.servers.process import free_port
from foretaste.testing.servers.redis import FAMILIES, Family, redis_server, redis_url

SEED = 11
AT_ONCE = 100
CONFIG = StateConfig()
LIMITS = limits_of(CONFIG)


@dataclass
class Shop:
    """People, what a state knows of them, and the events that come next."""

    state: State
    names: list[str]
    rng: np.random.Generator

    def next_events(self, n: int) -> EventColumns:
        """Return `n` events of random people, after all there are."""
        return random_events(self.rng, n, len(self.names), after=self.state.seq)


def random_events(rng: np.random.Generator, n: int, users: int, *, after: int = 0) -> EventColumns:
    """Return events in time order; a tenth of the people has half of them."""
    active = rng.random(n) < 0.5
    user = np.where(active, rng.integers(0, max(1, users // 10), n), rng.integers(0, users, n))
    seq = np.arange(after + 1, after + 1 + n)
    return EventColumns(
        previous_seq=after,
        seq=seq,
        user=user.astype(np.int32),
        item=(rng.random(n) ** 3 * 20_000).astype(np.int32),
        type=rng.integers(0, len(EVENT_TYPES), n).astype(np.int16),
        time=EPOCH + seq * 1_000_000,
        key=rng.integers(-(2**62), 2**62, n),
        value=np.full(n, np.nan, np.float32),
    )


def shop_of(users: int, events: int) -> Shop:
    """Return a shop after its events."""
    rng = np.random.default_rng(SEED)
    state = State(CONFIG, lambda: EVENT_TYPES)
    for start in range(0, events, 200_000):
        state.apply(random_events(rng, min(200_000, events - start), users, after=start))
    return Shop(state, [f"user-{number}" for number in range(users)], rng)


@contextmanager
def running(family: Family, url: str | None) -> Iterator[str]:
    """Give the URL of an empty server without persistence."""
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        with redis_server(family, Path(folder), port):
            yield redis_url(port)


def timed(raw: redis.Redis, calls: int, each: int, work: Callable[[int], object]) -> dict[str, float]:
    """Call `work` so many times; return µs per operation, of which each call does `each`."""
    work(0)
    took, server, own = [], server_seconds(raw), process_time()
    for number in range(calls):
        began = perf_counter()
        work(number)
        took.append(perf_counter() - began)
    operations = calls * each / 1e6
    return {
        "wall_us": round(median(took) / each * 1e6, 1),
        "client_cpu_us": round((process_time() - own) / operations, 1),
        "server_cpu_us": round((server_seconds(raw) - server) / operations, 1),
    }


def server_seconds(raw: redis.Redis) -> float:
    """Return the CPU seconds that a server has used."""
    cpu = raw.info("cpu")
    return float(cpu["used_cpu_user_main_thread"] + cpu["used_cpu_sys_main_thread"])


def filled(store: RedisOnlineStore, raw: redis.Redis, shop: Shop) -> dict[str, float]:
    """Put everyone; return bytes for each of them."""
    before = raw.info("memory")["used_memory"]
    users = len(shop.names)
    for start in range(0, users, 500):
        chunk = range(start, min(start + 500, users))
        store.put({shop.names[user]: person_of(shop.state, user, LIMITS) for user in chunk})
    lengths = [raw.strlen(store.key(name)) for name in shop.names[:: max(1, users // 1000)]]
    return {
        "record_bytes_mean": round(float(np.mean(lengths)), 1),
        "record_bytes_largest": float(max(lengths)),
        "server_bytes_per_person": round((raw.info("memory")["used_memory"] - before) / users, 1),
    }


def applying(
    store: RedisOnlineStore, raw: redis.Redis, shop: Shop, calls: int, each: int
) -> dict[str, float]:
    """Measure folding: `each` events of random people to a call, prepared before the clock starts."""
    batches = []
    for _ in range(calls):
        events = shop.next_events(each)
        previous = previous_seqs(shop.state, events)
        shop.state.apply(events)
        batches.append(
            people_events(
                events, previous, user_names=shop.names, type_names=EVENT_TYPES, weights=CONFIG.weights
            )
        )
    gaps = 0

    def work(number: int) -> None:
        nonlocal gaps
        gaps += store.apply(batches[number]).fates.count("gap")

    figures = timed(raw, calls, each, work)
    return {**figures, "gaps": gaps}


def person_in(store: RedisOnlineStore, name: str) -> Person:
    """Return a person whose record is in the store, decoded."""
    record = store.get([name]).records[0]
    if record is None:
        raise LookupError(f"there is no record of {name}")
    return record.person


def measure(shop: Shop, url: str, calls: int) -> dict[str, Any]:
    """Return all figures of one server."""
    with (
        closing(redis.Redis.from_url(url, protocol=2)) as raw,
        closing(RedisOnlineStore(url, MemoryTelemetry(), limits=LIMITS, namespace="benchmark")) as store,
    ):
        info = raw.info("server")
        found: dict[str, Any] = {
            "server": " ".join(
                (info.get("server_name", "redis"), info.get("valkey_version", info["redis_version"]))
            ),
            "people": len(shop.names),
            "memory": filled(store, raw, shop),
        }
        some = shop.rng.integers(0, len(shop.names), (calls, AT_ONCE))
        names = [[shop.names[user] for user in row] for row in some.tolist()]
        few = max(1, calls // 20)
        found["get"] = timed(raw, calls, 1, lambda n: store.get(names[n][:1]))
        found["get_and_decode"] = timed(raw, calls, 1, lambda n: person_in(store, names[n][0]))
        found[f"get_{AT_ONCE}"] = timed(raw, few, AT_ONCE, lambda n: store.get(names[n]))
        found["apply"] = applying(store, raw, shop, calls, 1)
        found[f"apply_{AT_ONCE}"] = applying(store, raw, shop, few, AT_ONCE)
        size = round(found["memory"]["record_bytes_mean"])
        found["bare"] = bare(raw, size, calls)
        found["overhead"] = {
            "get_over_bare_get": ratio(found["get"], found["bare"]["get"]),
            "apply_over_bare_set": ratio(found["apply"], found["bare"]["set"]),
        }
        raw.flushdb()
        return found


def bare(raw: redis.Redis, size: int, calls: int) -> dict[str, Any]:
    """Measure GET and SET of `size` bytes, by redis-py's client and by redis-benchmark."""
    value = bytes(size)
    keys = [f"bare:{number}" for number in range(1000)]
    figures: dict[str, Any] = {"bytes": size}
    figures["set"] = timed(raw, calls, 1, lambda n: raw.set(keys[n % 1000], value))
    figures["get"] = timed(raw, calls, 1, lambda n: raw.get(keys[n % 1000]))

    def hundred(_: int) -> None:
        with raw.pipeline(transaction=False) as pipeline:
            for key in keys[:AT_ONCE]:
                pipeline.get(key)
            pipeline.execute()

    figures[f"get_{AT_ONCE}"] = timed(raw, max(1, calls // 20), AT_ONCE, hundred)
    tool = shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")
    if tool:
        port = str(raw.connection_pool.connection_kwargs["port"])
        command = [tool, "-p", port, "-t", "get,set", "-d", str(size), "-n", "100000", "-q", "--csv"]
        figures["redis-benchmark"] = subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout.splitlines()
    else:
        figures["redis-benchmark"] = "not on the PATH"
    return figures


def ratio(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    """Return how many times as much one takes."""
    kinds = "wall_us", "client_cpu_us", "server_cpu_us"
    return {kind: round(one[kind] / other[kind], 2) for kind in kinds if other[kind]}


def main() -> None:
    """Measure each family and print one JSON document per family."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--calls", type=int, default=4_000)
    parser.add_argument("--family", choices=FAMILIES, action="append")
    parser.add_argument("--url", help="an empty server to use instead; its database is flushed at the end")
    asked = parser.parse_args()
    for family in asked.family or FAMILIES[: 1 if asked.url else None]:
        with running(family, asked.url) as url:
            shop = shop_of(asked.users, asked.events)
            print(json.dumps(measure(shop, url, asked.calls), indent=2))


if __name__ == "__main__":
    main()
