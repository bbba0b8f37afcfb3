"""Histories as rows of equal length, cut anew for every pass over the data."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import MICROS_PER_SECOND, Floats, Int64s, Micros, Ordinals
from foretaste.domain.interactions import Interactions

STRENGTHS = 6
"""How many classes of weights are told apart."""
GAPS = 32
"""How many classes of waiting times are told apart: powers of two of seconds."""
UNTOLD = 0.1
"""This share of the waiting times is hidden, so that nothing depends on them alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """What people took, one after another: user after user, each in time order.

    `item` int32 [n] counts the known items from 0; `known` int32 holds their ordinals. `strength` and `gap`
    int32 [n] are the classes of each event's weight and of the time until the user's next one (class 0
    where times are none). `start` int64 [n_users + 1] bounds the users.
    """

    item: Ordinals
    strength: Ordinals
    gap: Ordinals
    start: Int64s
    known: Ordinals
    timed: bool

    @property
    def n_users(self) -> int:
        """How many people there are."""
        return len(self.start) - 1

    @property
    def n_targets(self) -> int:
        """How many events have one before them."""
        return len(self.item) - self.n_users


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Events as rows, int32 [n_rows, width] each: histories one after another, cut where a row ends.

    Event t of a row came from `person[t]`; after `item[t]` came `target[t]`, -1 where that is not known.
    """

    item: Ordinals
    strength: Ordinals
    gap: Ordinals
    person: Ordinals
    target: Ordinals

    def portion(self, start: int, stop: int) -> dict[str, Ordinals]:
        """Return the rows from `start` to before `stop`, by name."""
        names = ("item", "strength", "gap", "person", "target")
        return {name: getattr(self, name)[start:stop] for name in names}


def sequences_of(interactions: Interactions) -> Sequences:
    """Return the sequences of the events with positive weights of people who have at least two."""
    liked = np.flatnonzero(interactions.weight > 0.0)
    many = np.bincount(interactions.user[liked], minlength=interactions.n_users) > 1
    liked = liked[many[interactions.user[liked]]]
    order = liked[np.argsort(interactions.user[liked], kind="stable")]
    user, time = interactions.user[order], interactions.time[order]
    known, item = np.unique(interactions.item[order], return_inverse=True)
    last = np.ones(len(order), np.bool_)
    last[:-1] = user[1:] != user[:-1]
    gap = np.zeros(len(order), np.int32)
    if interactions.timed and not interactions.sequential:
        gap[:-1] = gap_class(np.diff(time))
    gap[last] = 0
    return Sequences(
        item=item.astype(np.int32).ravel(),
        strength=strength_class(interactions.weight[order]),
        gap=gap,
        start=np.concatenate(([0], np.flatnonzero(last) + 1)),
        known=known.astype(np.int32),
        timed=interactions.timed,
    )


def strength_class(weight: Floats) -> Ordinals:
    """Return the class of positive weights: by powers of two, 1 being in the middle."""
    power = np.round(np.log2(np.maximum(weight, 1e-6))) + STRENGTHS // 2
    return np.asarray(np.clip(power, 0, STRENGTHS - 1), np.int32)


def gap_class(micros: Micros) -> Ordinals:
    """Return the class of waiting times: 1 below a second, then one more for each doubling."""
    seconds = np.maximum(micros, 0) / MICROS_PER_SECOND
    return np.asarray(np.minimum(1 + np.log2(1.0 + seconds), GAPS - 1), np.int32)


def rows_of(sequences: Sequences, width: int, batch: int, generator: np.random.Generator) -> Rows:
    """Return all events as rows: users in an order drawn by lot, so histories are cut anew each time.

    Without times an order within a history means nothing, and is drawn by lot too. The number of rows is a
    multiple of `batch`; what fills the last ones up belongs to person -1.
    """
    length = np.diff(sequences.start)
    user = generator.permutation(sequences.n_users)
    sizes = length[user]
    begin = np.cumsum(sizes) - sizes
    place = np.arange(len(sequences.item)) - np.repeat(begin, sizes) + np.repeat(sequences.start[user], sizes)
    person = np.repeat(user, sizes)
    if not sequences.timed:
        owner = np.repeat(np.arange(len(user)), sizes)
        place = place[np.lexsort((generator.random(len(place)), owner))]
    target = np.full(len(place), -1, np.int32)
    goes_on = np.flatnonzero(person[1:] == person[:-1])
    target[goes_on] = sequences.item[place[goes_on + 1]]
    return Rows(
        item=_shaped(sequences.item[place], width, batch, 0),
        strength=_shaped(sequences.strength[place], width, batch, 0),
        gap=_shaped(sequences.gap[place] * (generator.random(len(place)) >= UNTOLD), width, batch, 0),
        person=_shaped(person, width, batch, -1),
        target=_shaped(target, width, batch, -1),
    )


def _shaped(values: NDArray[np.signedinteger], width: int, batch: int, filler: int) -> Ordinals:
    """Return `values` as int32 [n_rows, width], filled up with `filler`."""
    size = width * batch
    whole = np.full(-(-len(values) // size) * size, filler, np.int32)
    whole[: len(values)] = values
    return whole.reshape(-1, width)
