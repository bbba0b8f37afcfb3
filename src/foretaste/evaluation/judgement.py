"""What several recommenders achieved on the same questions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask, Ordinals
from foretaste.domain.event import EventColumns
from foretaste.evaluation.beyond_accuracy import (
    coverage,
    intra_list_diversity,
    novelty,
    own_list_share,
    serendipity,
)
from foretaste.evaluation.bootstrap import Interval, mean_intervals, ratio_intervals
from foretaste.evaluation.category_calibration import category_divergence
from foretaste.evaluation.metrics import METRICS
from foretaste.evaluation.popularity_bias import (
    average_popularity,
    exposure_shares,
    gini,
    profile_popularity,
)
from foretaste.evaluation.profiles import Profiles
from foretaste.features.category_table import CategoryTable

EXPECTED = "popularity"
"""The recommender whose lists anyone would expect."""

Advance = Callable[[float], object]
"""Told how much of the work is done, from 0 to 1."""


def unheard(_share: float) -> None:
    """Tell nobody."""


class Judged(Protocol):
    """What is judged: several recommenders over one state, so that all answer the same questions."""

    @property
    def names(self) -> Sequence[str]:
        """What they are called."""
        ...

    def lists(self, user: int, now: int, k: int) -> Ordinals:
        """Return each one's best `k` items for `user` at `now`, int32 [len(names), k], -1 on empty places.

        Knows only the events handed to `apply` (and what it knew before). Lists nothing that the user had.
        """
        ...

    def apply(self, events: EventColumns) -> object:
        """Take in what happened since."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """Answers and truths of n questions: `lists` int32 and `hits` bool [n_names, n, k].

    `user` int32 [n] says who was asked about, `wanted` int64 [n] how many items were right, `position`
    int64 [n] at which event the question was asked. `possible` is the number of questions there were, of
    which n were drawn.
    """

    names: tuple[str, ...]
    user: Ordinals
    position: Int64s
    lists: Ordinals
    hits: Mask
    wanted: Int64s
    possible: int

    def __len__(self) -> int:
        """How many questions there are."""
        return len(self.user)

    def values(self, name: str, metric: str, k: int = 10) -> Doubles:
        """Return a metric (see `metrics.METRICS`) of one recommender for each question, float64 [n]."""
        return METRICS[metric](self.hits[self.names.index(name)], self.wanted, k)

    def mean(self, name: str, metric: str, k: int = 10) -> float:
        """Return the mean of `values`, 0 without questions."""
        return float(self.values(name, metric, k).mean()) if len(self) else 0.0


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One recommender's results: `accuracy` by metric, with intervals by person, and the kind of lists.

    `own_lists` is the share of people whose last list nobody else got. What the surroundings say nothing
    of is None: `diversity` needs vectors, `popularity` to know who had what before, `lift` people who had
    anything, `calibration` categories, `serendipity` a recommender called `popularity` beside, `exposure`
    (share of attention by group) groups of items.
    """

    name: str
    accuracy: dict[str, Interval]
    coverage: float
    gini: float
    novelty: Interval
    own_lists: float = 0.0
    diversity: Interval | None = None
    popularity: Interval | None = None
    lift: Interval | None = None
    serendipity: Interval | None = None
    calibration: Interval | None = None
    exposure: dict[str, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Items by group: `code` int32 [n_items], -1 for none, and the name of each code."""

    names: tuple[str, ...]
    code: Ordinals


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What lists are compared with, beyond the truth.

    `owners` int64 [n_items]: how many of `n_users` people had each item before the questions; `vectors`
    float32 [n_items, dim], unit rows by which items are alike, or None; `profiles`: what the person of each
    question had; `categories` and `groups` of the items.
    """

    owners: Int64s
    n_users: int
    vectors: Floats | None = None
    profiles: Profiles | None = None
    categories: CategoryTable | None = None
    groups: Groups | None = None


def scores_of(
    judgement: Judgement,
    surroundings: Surroundings,
    *,
    seed: int,
    metrics: Sequence[str] = tuple(METRICS),
    k: int = 10,
) -> tuple[Score, ...]:
    """Return everyone's results, in the order of the names."""
    columns: dict[tuple[str, str], Doubles] = {}
    for row, name in enumerate(judgement.names):
        found = {metric: judgement.values(name, metric, k) for metric in metrics}
        found |= _kind_of_lists(judgement, row, surroundings, k)
        columns |= {(name, measure): values for measure, values in found.items()}
    stacked = np.stack(list(columns.values())) if columns else np.zeros((0, len(judgement)))
    intervals = mean_intervals(stacked, judgement.user, seed=seed)
    by_key = dict(zip(columns, intervals, strict=True))
    lifts = _lifts(judgement, surroundings, columns, seed)
    return tuple(
        _score(judgement, row, surroundings, by_key, lifts.get(name), metrics=metrics, k=k)
        for row, name in enumerate(judgement.names)
    )


def _kind_of_lists(judgement: Judgement, row: int, around: Surroundings, k: int) -> dict[str, Doubles]:
    """Return what is measured of each list beside its accuracy."""
    lists, hits = judgement.lists[row][:, :k], judgement.hits[row][:, :k]
    found = {"novelty": novelty(lists, around.owners, around.n_users)}
    if around.vectors is not None:
        found["diversity"] = intra_list_diversity(lists, around.vectors)
    if EXPECTED in judgement.names:
        expected = judgement.lists[judgement.names.index(EXPECTED)][:, :k]
        found["serendipity"] = serendipity(lists, hits, expected)
    if around.profiles is not None:
        found["popularity"] = average_popularity(lists, around.owners, around.n_users)
        if around.categories is not None and around.categories.names:
            found["calibration"] = category_divergence(lists, around.profiles, around.categories)
    return found


def _lifts(
    judgement: Judgement,
    around: Surroundings,
    columns: Mapping[tuple[str, str], Doubles],
    seed: int,
) -> dict[str, Interval]:
    """Return everyone's popularity lift: see `popularity_bias.profile_popularity`.

    None is told where the people of all questions had nothing to compare with.
    """
    if around.profiles is None:
        return {}
    own = profile_popularity(around.profiles, around.owners, around.n_users)
    if not own.any():
        return {}
    shown = np.stack([columns[name, "popularity"] for name in judgement.names])
    ratios = ratio_intervals(shown, own, judgement.user, seed=seed)
    return {
        name: Interval(value=found.value - 1.0, low=found.low - 1.0, high=found.high - 1.0, level=found.level)
        for name, found in zip(judgement.names, ratios, strict=True)
    }


def _score(
    judgement: Judgement,
    row: int,
    around: Surroundings,
    intervals: Mapping[tuple[str, str], Interval],
    lift: Interval | None,
    *,
    metrics: Sequence[str],
    k: int,
) -> Score:
    name, lists = judgement.names[row], judgement.lists[row][:, :k]
    return Score(
        name=name,
        accuracy={metric: intervals[name, metric] for metric in metrics},
        coverage=coverage(lists, len(around.owners)),
        gini=gini(lists, len(around.owners)),
        novelty=intervals[name, "novelty"],
        own_lists=own_list_share(lists[_last_of_each(judgement.user)]),
        diversity=intervals.get((name, "diversity")),
        popularity=intervals.get((name, "popularity")),
        lift=lift,
        serendipity=intervals.get((name, "serendipity")),
        calibration=intervals.get((name, "calibration")),
        exposure=None if around.groups is None else _exposure(lists, around.groups),
    )


def _exposure(lists: Ordinals, groups: Groups) -> dict[str, float]:
    shares = exposure_shares(lists, groups.code, len(groups.names))
    return dict(zip(groups.names, shares.tolist(), strict=True))


def _last_of_each(user: Ordinals) -> Int64s:
    """Return the last position of each of the people."""
    _, from_end = np.unique(user[::-1], return_index=True)
    return np.asarray(len(user) - 1 - from_end, np.int64)
