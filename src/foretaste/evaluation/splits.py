"""Which events a model may learn from, which tune it, and which judge it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from foretaste.domain.arrays import Int64s, Micros, Ordinals

SplitKind = Literal["time", "hold-out"]

_SHARED_TIME = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Positions int64, rising, of the events in each part; no event is in two of them.

    `kind` is `time` where the parts follow each other in time, or `hold-out` where each person's events were
    dealt out at random.
    """

    kind: SplitKind
    train: Int64s
    validation: Int64s
    test: Int64s

    @property
    def words(self) -> str:
        """How the events were split, for a report."""
        sizes = f"{len(self.train):,} / {len(self.validation):,} / {len(self.test):,} events"
        if self.kind == "time":
            return f"in time order: {sizes} to fit, to tune and to judge"
        return f"a seeded hold-out per user, since the events have no times: {sizes} to fit, tune and judge"


def is_timed(time: Micros) -> bool:
    """Return whether times say an order: not if half of the events or more share one moment.

    Events without timestamps get the moment of their import.
    """
    if len(time) < 2:
        return False
    _, counts = np.unique(time, return_counts=True)
    return bool(counts.max() < _SHARED_TIME * len(time))


def split(user: Ordinals, time: Micros, *, seed: int, validation: float = 0.1, test: float = 0.1) -> Split:
    """Return a split by time where the events have times, else a hold-out per user.

    By time, `user` and `time` must be in time order: the last `test` share judges, the `validation` share
    before it tunes.
    """
    if is_timed(time):
        return split_by_time(len(user), validation=validation, test=test)
    return split_per_user(user, seed=seed, validation=validation, test=test)


def split_by_time(n: int, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """Return the split of `n` events in time order: the last ones judge, those before tune."""
    first, second = int(n * (1.0 - validation - test) + 1e-9), int(n * (1.0 - test) + 1e-9)
    every = np.arange(n, dtype=np.int64)
    return Split("time", every[:first], every[first:second], every[second:])


def split_per_user(user: Ordinals, *, seed: int, validation: float = 0.1, test: float = 0.1) -> Split:
    """Return a split in which every person's events are dealt out by lot, in these shares.

    Numbers of events are rounded up for people with at least three events (one each at least), others only
    train; so every person who is judged has something to be judged by.
    """
    generator = np.random.default_rng(seed)
    order = np.lexsort((generator.random(len(user)), user))
    _, begin, count = np.unique(user[order], return_index=True, return_counts=True)
    rank = np.arange(len(user)) - np.repeat(begin, count)
    size = np.repeat(count, count)
    for_test = np.where(size >= 3, np.ceil(size * test), 0)
    for_validation = np.where(size >= 3, np.ceil(size * validation), 0)
    part = np.where(rank < for_test, 2, np.where(rank < for_test + for_validation, 1, 0))
    parts = [np.sort(order[part == number]).astype(np.int64) for number in range(3)]
    return Split("hold-out", *parts)
