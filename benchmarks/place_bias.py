"""What a ranker of slates makes of lists whose order was no accident, where the truth is known.

Made-up lists of ten out of 300 items for 300 people. An item's appeal is its own plus the person's liking for
it; a place is looked at one over its number as often as the first. Lists are in random order, sorted by
something that has nothing to do with appeal (as by price), by the items' own appeal with noise, or by a score
for the person that is right but for noise, which the ranker is given too, as it is given those of sources.
People click what they look at and like, or take exactly one of each list.

The ranker learns from 2,400 lists by default options and orders 600 later ones: mean NDCG@10 of the true
appeal. Beside it in the same run: without correcting for places, the item's smoothed click rate, the order as
shown.

`python benchmarks/place_bias.py`; `--seeds N` for more worlds.
"""

import argparse
import itertools
import os
import platform
from dataclasses import dataclass

import numpy as np

from foretaste.domain.item import Item
from foretaste.ranking.learning_to_rank import RankerOptions, learn_ranker
from foretaste.ranking.past import pasts_of
from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.slate_features import Columns, SlateRequest
from foretaste.ranking.slate_ranker import SlateRanker
from foretaste.ranking.traits import Traits, traits_of

N_ITEMS, N_PEOPLE, PLACES = 300, 300, 10
LEARNT, JUDGED = 2_400, 600
MINUTE = 60_000_000
ORDERS = ("by chance", "something else", "items' appeal", "a score for the person")
NOISE = {"something else": 0.3, "items' appeal": 0.3, "a score for the person": 1.0}
RARITY = 1.2
"""What is taken off the log odds where each place is clicked or not."""


@dataclass(frozen=True)
class World:
    """Lists as shown, the true appeal and the score by row."""

    slates: ShownSlates
    appeal: np.ndarray
    score: np.ndarray


def world(order: str, seed: int, *, one_each: bool) -> World:
    """Return made-up lists."""
    generator = np.random.default_rng(seed)
    own = 0.7 * generator.normal(size=N_ITEMS)
    liking = 0.7 * generator.normal(size=(N_PEOPLE, N_ITEMS))
    price = generator.normal(size=N_ITEMS)
    people = generator.integers(N_PEOPLE, size=LEARNT + JUDGED)
    look = 1.0 / (1.0 + np.arange(PLACES))
    shown, clicked, appeals, scores = [], [], [], []
    for person in people.tolist():
        items = generator.choice(N_ITEMS, PLACES, replace=False)
        appeal = own[items] + liking[person, items]
        noise = NOISE.get(order, 1.0) * generator.normal(size=PLACES)
        score = {
            "by chance": noise,
            "something else": price[items] + noise,
            "items' appeal": own[items] + noise,
            "a score for the person": appeal + noise,
        }[order]
        sort = np.argsort(-score)
        items, appeal = items[sort], appeal[sort]
        if one_each:
            odds = look * np.exp(appeal)
            taken = np.arange(PLACES) == generator.choice(PLACES, p=odds / odds.sum())
        else:
            taken = generator.random(PLACES) < look / (1.0 + np.exp(RARITY - appeal))
        shown.append(items)
        clicked.append(taken)
        appeals.append(np.exp(appeal))
        scores.append(score[sort])
    slates = ShownSlates.of(
        people.astype(np.int32),
        np.arange(len(people)) * MINUTE,
        [items.astype(np.int32) for items in shown],
        clicked,
    )
    return World(slates, np.concatenate(appeals), np.concatenate(scores))


def requests_of(made: World, *, scored: bool) -> list[SlateRequest]:
    """Return what was asked for, as of its moment; `scored` with the score that lists were sorted by."""
    slates = made.slates
    bounds = zip(slates.start[:-1].tolist(), slates.start[1:].tolist(), strict=True)
    return [
        SlateRequest(
            item=slates.item[first:end],
            past=past,
            now=now,
            scores=made.score[None, first:end].astype(np.float32) if scored else np.empty((0, 0), np.float32),
        )
        for (first, end), past, now in zip(bounds, pasts_of(slates), slates.time.tolist(), strict=True)
    ]


def quality(made: World, score: np.ndarray) -> float:
    """Return the mean NDCG@10 of the true appeal over the judged lists, ordered by `score` of their rows."""
    gains = made.appeal.reshape(-1, PLACES)[LEARNT:]
    discount = 1.0 / np.log2(np.arange(PLACES) + 2.0)
    found = np.take_along_axis(gains, np.argsort(-score.reshape(-1, PLACES), kind="stable"), axis=1)
    return float(((found @ discount) / (-np.sort(-gains) @ discount)).mean())


def orders_of(made: World, traits: Traits, *, scored: bool) -> dict[str, np.ndarray]:
    """Return the scores of the judged rows by every order."""
    requests = requests_of(made, scored=scored)
    train, later = made.slates.take(np.arange(LEARNT)), made.slates.take(np.arange(LEARNT, LEARNT + JUDGED))
    columns = Columns(numbers=traits.number_names, sources=("score",) if scored else ())

    def learnt(*, debias: bool) -> SlateRanker:
        options = RankerOptions(debias=debias)
        return learn_ranker(train, requests[:LEARNT], traits, columns, options=options)

    def by(ranker: SlateRanker) -> np.ndarray:
        return np.concatenate([ranker.score(request) for request in requests[LEARNT:]])

    shown = np.bincount(train.item, minlength=N_ITEMS)
    clicks = np.bincount(train.item, weights=train.clicked, minlength=N_ITEMS)
    rate = (clicks + 5.0 * train.clicked.mean()) / (shown + 5.0)
    return {
        "ranker": by(learnt(debias=True)),
        "not corrected": by(learnt(debias=False)),
        "smoothed click rate": rate[later.item],
        "as shown": -later.position.astype(np.float64),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3, help="how many worlds of each kind")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    traits = traits_of([Item(item_id=str(item)) for item in range(N_ITEMS)])
    print("| sorted by | people take | ranker | not corrected | smoothed click rate | as shown |")
    print("|---|---|---:|---:|---:|---:|")
    for one_each, order in itertools.product((False, True), ORDERS):
        found: list[list[float]] = []
        for seed in range(arguments.seeds):
            made = world(order, seed, one_each=one_each)
            scored = order == "a score for the person"
            found.append([quality(made, by) for by in orders_of(made, traits, scored=scored).values()])
        figures = " | ".join(f"{value:.3f}" for value in np.mean(found, axis=0))
        print(f"| {order} | {'one of each' if one_each else 'what they like'} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
