"""What the ranker of slates is worth on a service's own lists, by the truth of a made-up shop.

Six days of `foretaste.testing.simulator`: three without recommendations, then training; two days on which six
of ten visits are shown ten items by the model, looked at one over their place as often as the first and
clicked as the person likes them; then training again, which may take a ranker. On the last day every fourth
visitor is asked for twice, with the ranker and without: the chances that their next choice is each item of
the list, discounted as in NDCG, over those of the best ten. The difference is paired, with its 95 % interval
over visits.

`python benchmarks/own_slates.py`; `--seeds N` for more shops. `--whatever` lets the ranker serve also where
training does not find it surely ahead.
"""

import argparse
import os
import platform
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import foretaste as ft
from foretaste.app.learning import train_home
from foretaste.app.wiring import open_home
from foretaste.domain.event import Event
from foretaste.ranking import learning_to_rank
from foretaste.ranking.slate_ranker import SlateRanker
from foretaste.testing.simulator.scenery import Scenery
from foretaste.testing.simulator.traffic import deliveries
from foretaste.testing.simulator.world import World

SECOND = 1_000_000
DAY = 86_400 * SECOND
BEGAN = 1_767_571_200 * SECOND
"""A Monday of the past."""
ALONE, SHOWN, WHOLE = 3, 5, 6
"""Days without recommendations, until the second training, and in all."""
PLACES, VISITS_SHOWN, EAGER, JUDGED_EVERY = 10, 0.6, 6.0, 4
LOOK = 1.0 / (1.0 + np.arange(PLACES))
DISCOUNT = 1.0 / np.log2(np.arange(PLACES) + 2.0)
WITHOUT = "[plain]\nranker = false\n\n[ranked]\nranker = true\n"


class Shop:
    """A made-up shop and what serves it."""

    def __init__(self, home: Path, seed: int) -> None:
        self.world = World(
            Scenery(
                users=250,
                items=400,
                rate=0.06,
                duration=WHOLE * DAY / SECOND,
                seed=seed,
                start=BEGAN,
                bots=0,
                duplicates=0,
                late=0,
                new_items=0.2,
            )
        )
        self.place = {item.item_id: number for number, item in enumerate(self.world.items)}
        self.home, self.seed = home, seed
        self.random = np.random.default_rng(seed)
        (home / "scenarios.toml").write_text(WITHOUT)
        self.rec = ft.Recommender(open_home(home, create=True))
        self.rec.put_items(self.world.items)

    def visits(self, first: int, last: int) -> list[Event]:
        """Return the choices that people make of themselves on the days from `first` until `last`."""
        low, high = BEGAN + first * DAY, BEGAN + last * DAY
        return [one.event for one in deliveries(self.world) if low <= (one.event.timestamp or 0) < high]

    def record(self, visit: Event, item_id: str, moment: int) -> None:
        """Record a click."""
        self.rec.record(user_id=visit.user_id, item_id=item_id, type="click", timestamp=moment)

    def train(self) -> str:
        """Train, serve what was learnt, and return what is said of the ranker."""
        report = train_home(self.rec.home, seed=self.seed, effort="quick")
        self.rec.close()
        self.rec = ft.Recommender(open_home(self.home))
        return str(report.ranker)

    def gains(self, visit: Event, item_ids: list[str]) -> float:
        """Return the discounted chances of a list, over those of the best there is."""
        chances = self.world.chances(visit.user_id, visit.timestamp or 0)
        found = np.array([chances[self.place[item_id]] for item_id in item_ids])
        best = np.sort(chances)[::-1][:PLACES]
        return float((found @ DISCOUNT[: len(found)]) / (best @ DISCOUNT))

    def shown(self, visit: Event, scenario: str = "home") -> list[str]:
        """Return what a visitor is shown."""
        slate = self.rec.recommend(visit.user_id, k=PLACES, now=visit.timestamp, scenario=scenario)
        return [item.item_id for item in slate]

    def show(self, visit: Event) -> None:
        """Show a list to a visitor, and record what is clicked."""
        moment = visit.timestamp or 0
        chances = self.world.chances(visit.user_id, moment)
        for place, item_id in enumerate(self.shown(visit)):
            liked = 1.0 - np.exp(-EAGER * chances[self.place[item_id]])
            if self.random.random() < LOOK[place] * liked:
                self.record(visit, item_id, moment + (place + 1) * 2 * SECOND)


def gains_of(home: Path, seed: int) -> tuple[str, np.ndarray]:
    """Return what training says of the ranker, and the gains of the judged visits with and without it."""
    shop = Shop(home, seed)
    for visit in shop.visits(0, ALONE):
        shop.record(visit, visit.item_id, visit.timestamp or 0)
    shop.train()
    for visit in shop.visits(ALONE, SHOWN):
        if shop.random.random() < VISITS_SHOWN:
            shop.show(visit)
        else:
            shop.record(visit, visit.item_id, visit.timestamp or 0)
    words = shop.train()
    found = []
    for number, visit in enumerate(shop.visits(SHOWN, WHOLE)):
        if number % JUDGED_EVERY == 0:
            found.append([shop.gains(visit, shop.shown(visit, name)) for name in ("ranked", "plain")])
        shop.record(visit, visit.item_id, visit.timestamp or 0)
    shop.rec.close()
    return words, np.array(found)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many shops")
    parser.add_argument("--whatever", action="store_true", help="the ranker serves whatever it is worth")
    arguments = parser.parse_args()
    if arguments.whatever:
        serve_whatever_it_is_worth()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for seed in range(1, arguments.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            words, gains = gains_of(Path(folder), seed)
        ahead = gains[:, 0] - gains[:, 1]
        wide = 1.96 * ahead.std() / np.sqrt(len(ahead))
        print(
            f"shop {seed}: with the ranker {gains[:, 0].mean():.4f}, without {gains[:, 1].mean():.4f}, "
            f"{ahead.mean():+.4f} [{ahead.mean() - wide:+.4f}, {ahead.mean() + wide:+.4f}] "
            f"of {len(ahead)} visits; {words}",
            flush=True,
        )


def serve_whatever_it_is_worth() -> None:
    """Let training find every ranker surely ahead."""
    learn = learning_to_rank.learn_ranker

    def learnt(*given: Any, **named: Any) -> SlateRanker:
        ranker = learn(*given, **named)
        return replace(ranker, report=msgspec.structs.replace(ranker.report, ahead_low=1e-9))

    learning_to_rank.learn_ranker = learnt


if __name__ == "__main__":
    main()
