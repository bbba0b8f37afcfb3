"""Which events a model may learn from, which tune it, and which judge it."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from foretaste.domain.arrays import Int64s, Micros, Ordinals
from foretaste.models.hold_out import given_up

SplitKind = Literal["time", "sequence", "hold-out"]

_SHARED_TIME = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Positions int64, rising, of the events in each part; no event is in two of them.

    `kind` is `time` where the parts follow each other in time, `sequence` where each person's last event
    judges and the one before tunes, or `hold-out` where each person's events were dealt out at random;
    `untimed` says that this was done because their times say no order.
    """

    kind: SplitKind
    train: Int64s
    validation: Int64s
    test: Int64s
    untimed: bool = field(default=False, kw_only=True)

    @property
    def words(self) -> str:
        """How the events were split, for a report."""
        sizes = f"{len(self.train):,} / {len(self.validation):,} / {len(self.test):,} events"
        if self.kind == "time":
            return f"in time order: {sizes} to fit, to tune and to judge"
        if self.kind == "sequence":
            return f"by each person's order: {sizes} to fit, the last but one to tune, the last to judge"
        why = ", since the events have no times" if self.untimed else ""
        return f"a seeded hold-out per user{why}: {sizes} to fit, tune and judge"


def is_timed(time: Micros) -> bool:
    """Return whether times say an order: not if half of the events or more share one moment.

    Events without timestamps all get one moment, the day before their import.
    """
    if len(time) < 2:
        return False
    _, counts = np.unique(time, return_counts=True)
    return bool(counts.max() < _SHARED_TIME * len(time))


def is_positional(user: Ordinals, time: Micros) -> bool:
    """Return whether times are but places in each person's sequence.

    So it is where every person's first event has the same moment as everyone's, so has every second one, and
    so on, no moment occurring twice for a person.
    """
    moments, place = np.unique(time, return_inverse=True)
    people, begin, count = np.unique(np.sort(user), return_index=True, return_counts=True)
    if len(moments) < 3 or np.count_nonzero(count > 1) < 2 or len(people) < 2:
        return False
    order = np.lexsort((place, user))
    return bool((place[order] == np.arange(len(user)) - np.repeat(begin, count)).all())


def kind_of(user: Ordinals, time: Micros) -> SplitKind:
    """Return the split that suits the events: what their times can say."""
    if is_positional(user, time):
        return "sequence"
    return "time" if is_timed(time) else "hold-out"


def split(
    user: Ordinals,
    time: Micros,
    *,
    seed: int,
    validation: float = 0.1,
    test: float = 0.1,
    kind: SplitKind | None = None,
) -> Split:
    """Return a split of the `kind` asked for, or of the one that suits the events (see `kind_of`).

    `user` and `time` must be in time order. By time the last `test` share judges, the `validation` share
    before it tunes; by sequence the shares only say, by being 0, which part stays empty.
    """
    untimed = kind is None
    kind = kind or kind_of(user, time)
    if kind == "time":
        return split_by_time(len(user), validation=validation, test=test)
    if kind == "sequence":
        return split_by_sequence(user, tunes=validation > 0.0, judges=test > 0.0)
    dealt = split_per_user(user, seed=seed, validation=validation, test=test)
    return replace(dealt, untimed=untimed)


def split_by_sequence(user: Ordinals, *, tunes: bool = True, judges: bool = True) -> Split:
    """Return the split of events in time order in which each person's last one judges, the one before tunes.

    People with fewer than three events only train.
    """
    order = np.argsort(user, kind="stable")
    _, begin, count = np.unique(user[order], return_index=True, return_counts=True)
    to_come = np.repeat(begin + count, count) - 1 - np.arange(len(user))
    long = np.repeat(count >= 3, count)
    for_test = long & judges & (to_come < 1)
    for_validation = long & tunes & (to_come < 1 + judges) & ~for_test
    part = np.where(for_test, 2, np.where(for_validation, 1, 0))
    parts = [np.sort(order[part == number]).astype(np.int64) for number in range(3)]
    return Split("sequence", *parts)


def split_by_time(n: int, *, validation: float = 0.1, test: float = 0.1) -> Split:
    """Return the split of `n` events in time order: the last ones judge, those before tune."""
    first, second = int(n * (1.0 - validation - test) + 1e-9), int(n * (1.0 - test) + 1e-9)
    every = np.arange(n, dtype=np.int64)
    return Split("time", every[:first], every[first:second], every[second:])


def split_per_user(user: Ordinals, *, seed: int, validation: float = 0.1, test: float = 0.1) -> Split:
    """Return a split in which people's events are dealt out by lot, in these shares.

    Numbers of events are rounded up for people with at least three events, others only train. Where many
    have few, not everyone gives something up (see `given_up`), and as few as can be for both parts.
    """
    generator = np.random.default_rng(seed)
    order = np.lexsort((generator.random(len(user)), user))
    _, begin, count = np.unique(user[order], return_index=True, return_counts=True)
    rank = np.arange(len(user)) - np.repeat(begin, count)
    long, lot = np.where(count >= 3, count, 0), generator.random(len(count))
    judging, tuning = given_up(long, test, lot), given_up(long, validation, 1.0 - lot)
    for_test, for_validation = np.repeat(judging, count), np.repeat(tuning, count)
    part = np.where(rank < for_test, 2, np.where(rank < for_test + for_validation, 1, 0))
    parts = [np.sort(order[part == number]).astype(np.int64) for number in range(3)]
    return Split("hold-out", *parts)
