"""What it is worth that the ranker of slates goes on hearing what is shown and clicked after training.

`python benchmarks/live_clicks.py --data DIR`, the files of `ranklens.py`. The ranker learns from the lists of
the first part of the log's time; those after it are ordered twice: by what was known at the end of training,
and by what was shown and clicked up to the last full minute before each list, as `foretaste serve` counts it.
So once more where a share of the items, drawn by lot, is new: they are left out of the lists that it learns
from. Lists without a click are left out. Intervals are paired, 95 %, by person.
"""

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.event import EventColumns
from foretaste.domain.slate import ClickEdition, Exposure
from foretaste.ranking.list_gain import list_gains, paired_low
from foretaste.ranking.past import pasts_of
from foretaste.ranking.slate_ranker import SlateRanker
from foretaste.testing.contracts.exposure_log import VERSIONS
from foretaste.training.click_log import ClickLog
from ranklens import Lists, learnt, read

MINUTE = 60 * MICROS_PER_SECOND
SHARES = (0.5, 0.7, 0.85)
NEW = (0.0, 0.2)


def exposure_of(data: Lists, slate: int) -> Exposure:
    """Return a list as the record of a slate."""
    slates = data.slates
    items = tuple(slates.item[slates.start[slate] : slates.start[slate + 1]].tolist())
    return Exposure(
        recommendation_id=str(slate),
        user_id=str(slates.user[slate]),
        scenario="home",
        source="personalized",
        time=int(slates.time[slate]),
        items=items,
        scores=(0.0,) * len(items),
        propensities=(1.0,) * len(items),
        versions=VERSIONS,
    )


def clicks_of(data: Lists, first: int, end: int) -> EventColumns:
    """Return the clicks of the lists from `first` to before `end`, a second after one another."""
    slates = data.slates
    rows = np.arange(slates.start[first], slates.start[end])
    rows = rows[slates.clicked[rows]]
    slate = slates.slate[rows]
    place = np.arange(len(rows)) - np.searchsorted(slate, slate)
    return EventColumns(
        previous_seq=0,
        seq=rows.astype(np.int64) + 1,
        user=slates.user[slate],
        item=slates.item[rows],
        type=np.zeros(len(rows), np.int16),
        time=slates.time[slate] + MICROS_PER_SECOND * (place + 1),
        key=rows,
        value=np.full(len(rows), np.nan, np.float32),
    )


def rankers(data: Lists, trained: SlateRanker, first: int) -> Iterator[SlateRanker]:
    """Yield the ranker that each list from `first` on is ordered by."""
    clicks, slates = ClickLog(), data.slates
    done, until, now = first, 0, trained
    for slate in range(first, len(slates)):
        minute = int(slates.time[slate]) // MINUTE * MINUTE
        if minute > until and slate > done:
            end = max(done, int(np.searchsorted(slates.time, minute)))
            clicks.show(exposure_of(data, other) for other in range(done, end))
            events = clicks_of(data, done, end)
            clicks.hear(events, np.ones(len(events), np.bool_))
            edition = ClickEdition(until=minute, seq=1 << 62, people=1 << 30)
            counted = clicks.counted(edition, trained.knowledge.look, lambda names: np.array(names, np.int32))
            done, until, now = end, minute, trained.and_also(*counted)
        yield now


def without(data: Lists, new: np.ndarray) -> Lists:
    """Return the lists without the items that are `new`, bool by item."""
    slates = data.slates
    kept = ~new[slates.item]
    start = np.concatenate(([0], np.cumsum(kept)))[slates.start]
    fewer = replace(slates, start=start, item=slates.item[kept], clicked=slates.clicked[kept])
    requests = [
        replace(request, item=request.item[~new[request.item]], past=past)
        for request, past in zip(data.requests, pasts_of(fewer), strict=True)
    ]
    return Lists(data.traits, fewer, requests)


def compared(data: Lists, share: float, new: float) -> str:
    """Return what both orders are worth, of lists after the first `share`, where so much is `new`."""
    first = round(share * len(data.slates))
    is_new = np.random.default_rng(0).random(len(data.traits.rows)) < new
    trained = learnt(without(data, is_new), np.arange(first), 0, debias=True)
    later = data.slates.take(np.arange(first, len(data.slates)))
    telling, requests = later.telling, data.requests[first:]
    began = time.process_time()
    fresh = list(rankers(data, trained, first))
    seconds = time.process_time() - began
    before, since = (
        list_gains(later, np.concatenate([one.score(request) for one, request in pairs]))[telling]
        for pairs in ([(trained, request) for request in requests], list(zip(fresh, requests, strict=True)))
    )
    ahead, user = since - before, later.user[telling]
    editions = len({id(one) for one in fresh}) - 1
    return (
        f"learnt from the first {share:.0%}, {new:.0%} of the items new: {len(telling)} lists, NDCG@10 "
        f"{before.mean():.4f}, with what was clicked since {since.mean():.4f} ({ahead.mean():+.4f}, "
        f"{paired_low(ahead, user, 0):+.4f} to {-paired_low(-ahead, user, 0):+.4f}); "
        f"{editions} editions, {1e3 * seconds / max(1, editions):.1f} ms of CPU each"
    )


def main() -> None:
    """Print what both orders are worth, for several lengths of the first part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("FORETASTE_DATA"))
    arguments = parser.parse_args()
    if arguments.data is None or not (Path(arguments.data) / "rankings.parquet").is_file():
        parser.error("--data must name the folder that holds items.parquet and rankings.parquet")
    data = read(Path(arguments.data))
    for new in NEW:
        for share in SHARES:
            print(compared(data, share, new), flush=True)


if __name__ == "__main__":
    main()
