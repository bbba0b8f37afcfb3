"""MovieLens-100K as Gorse is judged, over rolling cuts: `python benchmarks/movielens_cuts.py [--cuts N]`.

At each cut all is learnt from the events before it (the public path, default settings), and everyone who
comes in the next tenth of the events gets one list, at the moment of the cut. Right are the items liked
(rated 4 or 5) in that tenth and not met before. NDCG@10 over people with likes before (warm) and over all.
Peers of the same run: popularity of likes, user-to-user neighbours (cosine of likes), and factorization by
`implicit`, each filled up by popularity; and Gorse's own figures on the last cut, as measured elsewhere.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

import foretaste as ft
from foretaste.adapters.files.event_table import Events
from foretaste.domain.arrays import Doubles, Mask, Ordinals
from foretaste.evaluation.bootstrap import Interval, difference_interval

K, LIKED, TENTH = 10, 4.0, 0.1
FIRST_CUT, LAST_CUT = 0.45, 0.9
NEIGHBOURS = 100
GORSE = {"default": (0.097, 0.049), "factorization": (0.198, 0.099), "user-to-user": (0.201, 0.230)}
OURS = "foretaste"
Lists = Callable[[int], Sequence[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What peers know at a cut: `liked` [users, items] of 0 and 1, `met` bool of the same shape."""

    users: dict[str, int]
    items: list[str]
    liked: csr_matrix
    met: Mask


def past_of(events: Events) -> Past:
    """Return the likes and meetings in `events`."""
    frame = events.frame
    users = {user: row for row, user in enumerate(frame["user_id"].unique().sort().to_list())}
    items = frame["item_id"].unique().sort().to_list()
    places = {item: place for place, item in enumerate(items)}
    row = np.array([users[user] for user in frame["user_id"]], np.int64)
    column = np.array([places[item] for item in frame["item_id"]], np.int64)
    liking = frame["value"].to_numpy() >= LIKED
    met = np.zeros((len(users), len(items)), np.bool_)
    met[row, column] = True
    ones = np.ones(int(liking.sum()), np.float32)
    liked = csr_matrix((ones, (row[liking], column[liking])), shape=met.shape)
    return Past(users, items, liked, met)


def listed(past: Past, user: str, score: Doubles) -> list[str]:
    """Return the ten best items that `user` has not met."""
    score = score.copy()
    if user in past.users:
        score[past.met[past.users[user]]] = -np.inf
    return [past.items[place] for place in np.argsort(-score, kind="stable")[:K]]


def peers_of(past: Past, seed: int) -> dict[str, Callable[[str], list[str]]]:
    """Return the peers, fitted on the past."""
    popular = np.asarray(past.liked.sum(axis=0), np.float64).ravel()
    top = popular / (popular.max() + 1.0) * 1e-6
    norm = np.sqrt(np.asarray(past.liked.sum(axis=1)).ravel())
    unit = past.liked.multiply(1.0 / np.maximum(norm, 1.0)[:, None]).tocsr()
    model = AlternatingLeastSquares(factors=32, iterations=30, random_state=seed, num_threads=1)
    model.fit(past.liked, show_progress=False)

    def neighbours(user: str) -> list[str]:
        row = past.users.get(user, -1)
        if row < 0 or norm[row] == 0.0:
            return listed(past, user, popular)
        alike = np.asarray((unit @ unit[row].T).todense(), np.float64).ravel()
        alike[row] = 0.0
        alike[np.argsort(-alike, kind="stable")[NEIGHBOURS:]] = 0.0
        return listed(past, user, past.liked.T @ alike + top)

    def factors(user: str) -> list[str]:
        row = past.users.get(user, -1)
        if row < 0 or norm[row] == 0.0:
            return listed(past, user, popular)
        return listed(past, user, (model.item_factors @ model.user_factors[row]).astype(np.float64))

    return {
        "popularity": lambda user: listed(past, user, popular),
        "user-to-user": neighbours,
        "factorization": factors,
    }


def ndcg(found: Sequence[str], truth: set[str]) -> float:
    """Return NDCG@10 of a list, its ideal cut at ten."""
    gain = sum(1.0 / np.log2(place + 2.0) for place, item in enumerate(found[:K]) if item in truth)
    return float(gain / sum(1.0 / np.log2(place + 2.0) for place in range(min(K, len(truth)))))


def judged_at(events: Events, share: float, seed: int) -> tuple[list[str], Mask, dict[str, Doubles]]:
    """Return who was judged at a cut, who of them is warm, and everyone's NDCG@10."""
    first, last = events.quantile(share), events.quantile(min(share + TENTH, 1.0))
    before, after = events.until(first), events.after(first)
    after = after if share + TENTH >= 1.0 else after.until(last)
    past = past_of(before)
    likes: dict[str, set[str]] = {}
    met = set(zip(before.frame["user_id"], before.frame["item_id"], strict=True))
    for user, item, value in after.frame.select("user_id", "item_id", "value").iter_rows():
        if value >= LIKED and (user, item) not in met:
            likes.setdefault(user, set()).add(item)
    people = sorted(likes)
    has_likes = np.asarray(past.liked.sum(axis=1)).ravel() > 0
    warm = np.array([user in past.users and bool(has_likes[past.users[user]]) for user in people])
    found: dict[str, Doubles] = {}
    for name, peer in peers_of(past, seed).items():
        found[name] = np.array([ndcg(peer(user), likes[user]) for user in people])
    with ft.Recommender.train(before, items=events.items, seed=seed) as rec:
        version = "" if rec.report is None else rec.report.version
        print(f"cut {share:.2f}: learnt {version}; now what follows is opened", file=sys.stderr)
        ours = [[item.item_id for item in rec.recommend(user, k=K, now=first, seed=0)] for user in people]
    found[OURS] = np.array([ndcg(each, likes[user]) for each, user in zip(ours, people, strict=True)])
    return people, warm, found


def measure(cuts: Sequence[float], seed: int) -> dict[str, Any]:
    """Judge at every cut and return the table."""
    events = ft.datasets.movielens_100k()
    parts = [judged_at(events, share, seed) for share in cuts]
    names = list(parts[0][2])
    numbers = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)[1]
    people: Ordinals = numbers.astype(np.int32)
    warm = np.concatenate([part[1] for part in parts])
    values = {name: np.concatenate([part[2][name] for part in parts]) for name in names}
    table = {
        name: {
            kind: {
                "ndcg": round(float(values[name][of].mean()), 4),
                "ours ahead": parts_of(
                    difference_interval(values[OURS][of], values[name][of], people[of], seed=seed)
                ),
                "chance that ours is better": chance(values[OURS][of] - values[name][of], people[of], seed),
            }
            for kind, of in (("warm", warm), ("all", np.ones(len(warm), np.bool_)))
        }
        for name in names
    }
    last = {
        kind: {name: round(float(parts[-1][2][name][of].mean()), 4) for name in names}
        for kind, of in (("warm", parts[-1][1]), ("all", np.ones(len(parts[-1][0]), np.bool_)))
    }
    sizes = {"warm": int(warm.sum()), "all": len(warm)}
    return {"cuts": list(cuts), "lists": sizes, "table": table, "last cut": last, "gorse": GORSE}


def chance(ahead: Doubles, people: Ordinals, seed: int, draws: int = 2000) -> float:
    """Return the part of bootstrap samples of people in which ours is ahead."""
    sums = np.bincount(people, weights=ahead)
    present = np.flatnonzero(np.bincount(people))
    drawn = np.random.default_rng(seed).choice(present, (draws, len(present)))
    return float((sums[drawn].sum(axis=1) > 0.0).mean())


def parts_of(interval: Interval) -> list[float]:
    """Return value, low and high."""
    return [round(float(part), 4) for part in (interval.value, interval.low, interval.high)]


def show(figures: dict[str, Any]) -> None:
    """Print the table."""
    lists, last = figures["lists"], figures["last cut"]
    print(f"{lists['warm']} lists of warm people, {lists['all']} in all, cuts {figures['cuts']}\n")
    print("| | warm | all | ours ahead, warm | ours ahead, all | chance warm / all | last cut warm / all |")
    print("|---|---:|---:|---|---|---:|---:|")
    for name, kinds in figures["table"].items():
        each = (kinds["warm"], kinds["all"])
        cells = [
            *(f"{kind['ndcg']:.4f}" for kind in each),
            *(str(kind["ours ahead"]) for kind in each),
            " / ".join(f"{kind['chance that ours is better']:.3f}" for kind in each),
            f"{last['warm'][name]:.3f} / {last['all'][name]:.3f}",
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    for name, (warm, every) in GORSE.items():
        print(f"| Gorse 0.5.9, {name} (measured elsewhere) | | | | | | {warm:.3f} / {every:.3f} |")


def main() -> int:
    """Print the table or JSON; return 1 if a peer is not beaten with a chance of .95."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=10, help="how many cuts, the last at nine tenths")
    parser.add_argument(
        "--until", type=float, default=LAST_CUT, help="the last cut; .8 leaves the last tenth closed"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cuts = np.linspace(options.until - LAST_CUT + FIRST_CUT, options.until, options.cuts)
    cuts = cuts if options.cuts > 1 else np.array([options.until])
    with threadpool_limits(limits=1, user_api="blas"):
        figures = measure([round(float(cut), 4) for cut in cuts], options.seed)
    if options.json:
        print(json.dumps(figures))
    else:
        show(figures)
    beaten = [
        kind["chance that ours is better"] >= 0.95
        for name, kinds in figures["table"].items()
        if name != OURS
        for kind in kinds.values()
    ]
    return int(not all(beaten))


if __name__ == "__main__":
    sys.exit(main())
