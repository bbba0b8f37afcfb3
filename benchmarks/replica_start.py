"""How long a new replica takes to serve the blend that the others serve, after many events since training.

    python benchmarks/replica_start.py [--events 100000]

A model is trained on a made-up log, and one replica on a PostgreSQL of its own takes in `--events` more,
learning on. Then another one starts from nothing but the model: what it prints is how long that took, and how
much of it went into finding the blend.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import foretaste as ft
from foretaste.app.home import Home
from foretaste.app.settings import Settings
from foretaste.app.stores import SNAPSHOT
from foretaste.app.wiring import open_home
from foretaste.domain.event import Event
from foretaste.testing.servers.postgres import own_postgres

TRAINED_ON = 20_000
BATCH = 1_000
NAMES = ("event_id", "user_id", "item_id", "type", "timestamp")


def main() -> None:
    """Print what a new replica took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    events = parser.parse_args().events
    log = ft.datasets.synthetic(n_users=2_000, n_items=500, n_events=TRAINED_ON + events, seed=1).events
    cut = log.quantile(TRAINED_ON / (TRAINED_ON + events))
    with own_postgres() as server, tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=server.url, database_write_seconds=60.0)
        old, new = Path(folder, "old"), Path(folder, "new")
        ft.Recommender.train(log.until(cut), items=log.items, home=old, settings=settings).close()
        (old / SNAPSHOT).unlink(missing_ok=True)
        shutil.copytree(old, new)
        with open_home(old, settings=settings) as first:
            began = time.perf_counter()
            for batch in batches(log.after(cut)):
                first.log.submit(batch).result()
            print(f"{events:,} events taken in, learning on: {time.perf_counter() - began:.1f} s")
            began = time.perf_counter()
            with open_home(new, settings=settings) as second:
                print(f"a new replica answers after {time.perf_counter() - began:.2f} s")
                print(f"of which its blend {finding(second) * 1e3:.1f} ms")
                blends = {home.artifact.blend_version for home in (first, second) if home.artifact}
                steps = sum(1 for _ in first.blends.records())
                print(f"{steps} blends agreed; {'the same serves' if len(blends) == 1 else 'they differ'}")


def batches(events: ft.Events) -> Iterator[list[Event]]:
    """Yield events as a client would send them."""
    for start in range(0, len(events), BATCH):
        rows = events.frame[start : start + BATCH].iter_rows(named=True)
        yield [Event(**{name: row[name] for name in NAMES}) for row in rows]


def finding(home: Home) -> float:
    """Return how many seconds it takes to find out which blend serves."""
    assert home.artifact is not None  # noqa: S101 # a model was trained
    trained = home.load(home.registry.path(home.artifact.version)) if home.registry else home.artifact
    began = time.perf_counter()
    home.learning.prepared(trained, lambda: home.catalog_columns, lambda _: None)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
