"""What several recommenders achieved on the same questions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask, Ordinals
from foretaste.domain.event import EventColumns
from foretaste.evaluation.beyond_accuracy import coverage, gini, intra_list_diversity, novelty
from foretaste.evaluation.bootstrap import Interval, mean_interval
from foretaste.evaluation.metrics import METRICS

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
    """One recommender's results: `accuracy` by metric, with intervals by person, and the kind of lists."""

    name: str
    accuracy: dict[str, Interval]
    coverage: float
    gini: float
    novelty: Interval
    diversity: Interval | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What lists are compared with, beyond the truth.

    `owners` int64 [n_items]: how many of `n_users` people had each item before the questions; `vectors`
    float32 [n_items, dim], unit rows by which items are alike, or None.
    """

    owners: Int64s
    n_users: int
    vectors: Floats | None = None


def scores_of(
    judgement: Judgement,
    surroundings: Surroundings,
    *,
    seed: int,
    metrics: Sequence[str] = tuple(METRICS),
    k: int = 10,
) -> tuple[Score, ...]:
    """Return everyone's results, in the order of the names."""
    rows = range(len(judgement.names))
    return tuple(_score(judgement, row, surroundings, seed=seed, metrics=metrics, k=k) for row in rows)


def _score(
    judgement: Judgement, row: int, around: Surroundings, *, seed: int, metrics: Sequence[str], k: int
) -> Score:
    name, lists = judgement.names[row], judgement.lists[row][:, :k]
    accuracy = {
        metric: mean_interval(judgement.values(name, metric, k), judgement.user, seed=seed)
        for metric in metrics
    }
    new = mean_interval(novelty(lists, around.owners, around.n_users), judgement.user, seed=seed)
    varied = None
    if around.vectors is not None:
        varied = mean_interval(intra_list_diversity(lists, around.vectors), judgement.user, seed=seed)
    return Score(
        name=name,
        accuracy=accuracy,
        coverage=coverage(lists, len(around.owners)),
        gini=gini(lists, len(around.owners)),
        novelty=new,
        diversity=varied,
    )
