"""What the blend is asked to learn from: people before what they took, strangers, people coming back."""

from collections.abc import Iterator

import numpy as np

from foretaste.domain.arrays import Int64s
from foretaste.evaluation.replay import drawn
from foretaste.training.asking import (
    asked_between,
    evenly_drawn,
    session_starts,
    some_of_each,
    strangers_between,
)
from foretaste.training.prepare import Prepared

Lesson = tuple[int, int, int]
"""The position of an event, who is asked about (-1: a stranger) and what they took."""

MORE = 2
"""In sequences so many times more questions are asked: of fewer any source proposes the answer."""

ROUNDS = 4
"""In a hold-out at most so many rounds are asked: as many as it takes for answers to be proposed."""

STRANGERS = 3
"""For one question of a stranger, and one at a session's start, so many are asked before each event."""

PER_SESSION = 3
"""At a session's start so many of what comes later in it are asked about: long visits count no more."""


def lessons(prepared: Prepared) -> Iterator[list[Lesson]]:
    """Yield rounds of questions of the tuning part, for who wants more of them: at most `ROUNDS`.

    In time order and in sequences there is one, in order of time. A hold-out has no order: its rounds are
    drawn by lot, and ask of everyone as few as do, for it is judged by people.
    """
    tune, test, seed = prepared.tune, prepared.test, prepared.seed
    most = prepared.config.tuned
    few = None if most is None else most // STRANGERS
    asked = asked_between(prepared, tune, test)
    strangers = drawn(strangers_between(prepared, tune, test), few, seed)
    found = [(position, -1, item) for position, _, item in _about(prepared, strangers)]
    if prepared.kind == "hold-out":
        yield from _rounds(prepared, found, asked)
        return
    more = MORE if prepared.kind == "sequence" else 1
    found += _about(prepared, drawn(asked, None if most is None else more * most, seed))
    if prepared.timed:
        found += _on_return(prepared, asked, few)
    yield sorted(found)


def _about(prepared: Prepared, positions: Int64s) -> list[Lesson]:
    """Return what the events at `positions` ask of those whose they are."""
    user, item = prepared.events.user, prepared.events.item
    return [(position, int(user[position]), int(item[position])) for position in positions.tolist()]


def _rounds(prepared: Prepared, strangers: list[Lesson], asked: Int64s) -> Iterator[list[Lesson]]:
    """Yield the events at `asked` in rounds of `tuned`, the first with `strangers`."""
    user, most, seed = prepared.events.user[asked], prepared.config.tuned, prepared.seed
    had = np.empty(0, np.int64)
    for number in range(ROUNDS):
        so_far = evenly_drawn(user, None if most is None else (number + 1) * most, seed)
        found = sorted(_about(prepared, asked[np.setdiff1d(so_far, had)]) + (strangers if not number else []))
        had = so_far
        yield [found[place] for place in np.random.default_rng(seed).permutation(len(found))]


def _on_return(prepared: Prepared, asked: Int64s, few: int | None) -> list[Lesson]:
    """Return what is asked at the start of a session about what comes later in it.

    A list shown on coming back should serve the whole visit.
    """
    starts = session_starts(prepared)
    known = np.isin(starts, asked)
    later = asked[(starts[asked] < asked) & known[asked]]
    later = drawn(later[some_of_each(starts[later], PER_SESSION, prepared.seed)], few, prepared.seed + 1)
    return [(int(starts[position]), user, item) for position, user, item in _about(prepared, later)]
