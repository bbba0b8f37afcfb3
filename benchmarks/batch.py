"""CPU per person of a batch, beside asking for one after the other: `python benchmarks/batch.py HOME`.

Both answer the same people of a trained home, at the same moment, in one process with one thread of linear
algebra; turns alternate, the best of each counts. Lists must be equal.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import scipy.linalg  # noqa: F401 - its linear algebra must be there to be limited
from threadpoolctl import threadpool_limits

from foretaste.app.batch.answering import PartAnswerer
from foretaste.app.batch.plan import BatchManifest, BatchOrder, pinned
from foretaste.app.recommender import Recommender
from foretaste.domain.clock import system_clock

K = 10


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--people", type=int, default=800)
    parser.add_argument("--turns", type=int, default=5)
    given = parser.parse_args()
    threadpool_limits(limits=1, user_api="blas")
    with Recommender.open(given.home, read_only=True) as rec:
        users, order = rec.users()[: given.people], BatchOrder(k=K)
        pin = pinned(rec.home, order, system_clock())
        batch = PartAnswerer(rec.home, BatchManifest(order=order, pin=pin, n_users=len(users)))

        def together() -> list[Any]:
            return batch.answer(0, users).slates

        def one_by_one() -> list[Any]:
            return [rec.recommend(user, k=K, now=pin.now, seed=0) for user in users]

        spent: dict[str, list[float]] = {"together": [], "one by one": []}
        lists: dict[str, Any] = {}
        for _ in range(given.turns):
            for name, work in (("together", together), ("one by one", one_by_one)):
                rec.home.answerer.known.forget()
                seconds, lists[name] = _timed(work)
                spent[name].append(seconds / len(users))
    same = sum(
        [place.item_id for place in ours.items] == [place.item_id for place in theirs.items]
        for ours, theirs in zip(lists["together"], lists["one by one"], strict=True)
    )
    for name, each in spent.items():
        print(f"{name}: {min(each) * 1e3:.2f} ms of CPU per person, {1 / min(each):,.0f} people/s and core")
    print(f"equal lists: {same:,} of {len(users):,}")


def _timed(work: Callable[[], list[Any]]) -> tuple[float, list[Any]]:
    began = time.process_time()
    slates = work()
    return time.process_time() - began, slates


if __name__ == "__main__":
    main()
