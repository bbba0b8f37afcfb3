"""What `foretaste train` makes of slates that were shown and clicked: the report of its ranker.

`python benchmarks/slate_training.py --data DIR`, the files of `ranklens.py`. Lists become exposures of a
home, clicks its events, moved up by whole weeks; each part is four fifths of the people, drawn by lot. A part
is trained by default; the latest fifth of its slates with clicks judges the ranker, by what was known before.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from msgspec.structs import replace

from foretaste.app.home import Home
from foretaste.app.learning import train_home
from foretaste.app.wiring import open_home
from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.clock import MICROS_PER_DAY, system_clock
from foretaste.domain.event import Event
from foretaste.testing.contracts.exposure_log import an_exposure
from ranklens import item_of, micros

SHARE = 0.8
AT_ONCE = 5_000
WEEK = 7 * MICROS_PER_DAY
"""Moved by whole weeks, weekdays and hours stay what they were: every run has the same figures."""


def events_of(lists: Sequence[dict[str, Any]]) -> list[Event]:
    """Return a click a second after the other for what was clicked in each list."""
    return [
        Event(
            event_id=f"{row['ranking']}-{item}",
            user_id=str(row["user"]),
            item_id=str(item),
            type="click",
            timestamp=row["time"] + MICROS_PER_SECOND * place,
        )
        for row in lists
        for place, item in enumerate(row["clicked"] or (), start=1)
    ]


def fill(home: Home, lists: Sequence[dict[str, Any]]) -> None:
    """Bring lists and clicks into a home that has the items; items that nobody describes are left out."""
    events = events_of(lists)
    for start in range(0, len(events), AT_ONCE):
        home.log.submit(events[start : start + AT_ONCE]).result()
    ordinals = {name: ordinal for ordinal, name in enumerate(home.id_map.names("item"))}
    for number, row in enumerate(lists):
        items = tuple(ordinals[str(item)] for item in row["shown"] if str(item) in ordinals)
        slate = an_exposure(f"slate-{number}", time=row["time"], user_id=str(row["user"]))
        even = (1.0,) * len(items)
        home.exposures.record(replace(slate, items=items, scores=even, propensities=even))
        if number % AT_ONCE == 0:
            home.exposures.flush()
    home.exposures.flush()


def main() -> None:
    """Train on every part and print what its ranker reports."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("FORETASTE_DATA"))
    parser.add_argument("--parts", type=int, default=4)
    arguments = parser.parse_args()
    if arguments.data is None or not (Path(arguments.data) / "rankings.parquet").is_file():
        parser.error("--data must name the folder that holds items.parquet and rankings.parquet")
    folder = Path(arguments.data)
    described = [item_of(row) for row in pl.read_parquet(folder / "items.parquet").iter_rows(named=True)]
    rankings = pl.read_parquet(folder / "rankings.parquet").sort("ts", "ranking")
    moments = micros(rankings["ts"].to_numpy())
    weeks = (system_clock() - int(moments.max())) // WEEK
    shifted = (moments + weeks * WEEK).tolist()
    lists = [{**row, "time": now} for row, now in zip(rankings.iter_rows(named=True), shifted, strict=True)]
    people = sorted(rankings["user"].unique().to_list())
    for part in range(arguments.parts):
        drawn = np.random.default_rng(part).permutation(people)[: int(SHARE * len(people))]
        chosen = set(drawn.tolist())
        with (
            tempfile.TemporaryDirectory() as directory,
            open_home(Path(directory) / "home", create=True) as home,
        ):
            home.put_items(described)
            fill(home, [row for row in lists if row["user"] in chosen])
            began = time.process_time()
            report = train_home(home)
            print(f"part {part}: {report.ranker}; {time.process_time() - began:.0f} s of CPU", flush=True)


if __name__ == "__main__":
    main()
