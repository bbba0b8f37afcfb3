"""The ends of some histories held out, to see when a network has learnt enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.models.training_matrix import part, with_users_up_to

SHARE = 0.05
"""At most this part of the events is held out,"""
MOST = 1_000
"""and at most so many,"""
MOST_PER_USER = 10
"""and of each person these."""
FEWEST = 30
"""Of fewer questions chance would make more than progress does."""
USUAL_EPOCHS = 20.0
"""Passes over the data where there are no questions."""
MOST_ITEMS = 100_000
MOST_INTERACTIONS = 5_000_000
CUTOFF = 10
"""NDCG is taken of the first so many places."""


@dataclass(frozen=True, slots=True)
class Question:
    """What came after `history`, at the moment `now`."""

    history: History
    now: int
    answer: int


@dataclass(frozen=True, slots=True)
class HoldOut:
    """Events to fit on, and questions about others."""

    train: Interactions
    questions: Sequence[Question]

    @property
    def epochs(self) -> float | None:
        """How many passes over the data to make: the usual number where no question can tell."""
        return None if self.questions else USUAL_EPOCHS

    def value(self, score: Callable[[History, int], Floats]) -> float:
        """Return the answers' mean NDCG among all items not had; `score` takes a history and a moment."""
        total = 0.0
        for question in self.questions:
            scores = score(question.history, question.now)
            wanted = scores[question.answer]
            scores[question.history.item] = -np.inf
            place = int((scores > wanted).sum()) + (int((scores == wanted).sum()) - 1) / 2.0
            total += 1.0 / np.log2(2.0 + place) if place < CUTOFF else 0.0
        return total / max(len(self.questions), 1)


def within_bounds(interactions: Interactions, seed: int) -> Interactions:
    """Return what a network is fitted on: the most frequent items, and users drawn by lot if too many.

    Memory of the fit is bounded so. Ordinals stay.
    """
    count = np.bincount(interactions.item, minlength=interactions.n_items)
    if np.count_nonzero(count) > MOST_ITEMS:
        frequent = np.zeros(interactions.n_items, np.bool_)
        frequent[np.argsort(-count, kind="stable")[:MOST_ITEMS]] = True
        interactions = part(interactions, frequent[interactions.item])
    return with_users_up_to(interactions, MOST_INTERACTIONS, seed)


def ends_held_out(interactions: Interactions, seed: int) -> HoldOut:
    """Return questions about the last events of people drawn by `seed`, and all other events to fit on.

    Unlike `tuning.validation`, which holds out the last tenth of the window, it takes hardly anything from
    the fit, so that what was fitted beside the questions can be kept. A question is asked of all that the
    person did before; without times the order within a history is drawn by lot. Where they would be too few,
    nothing is held out.
    """
    generator = np.random.default_rng(seed)
    arrival = np.arange(len(interactions)) if interactions.timed else generator.permutation(len(interactions))
    order = arrival[np.argsort(interactions.user[arrival], kind="stable")]
    bounds = np.searchsorted(interactions.user[order], np.arange(interactions.n_users + 1))
    held = np.zeros(len(interactions), np.bool_)
    questions: list[Question] = []
    for user in generator.permutation(interactions.n_users):
        rows = order[bounds[user] : bounds[user + 1]]
        n_ends = min(int(len(rows) * SHARE) + int(len(rows) > 2), MOST_PER_USER)
        if len(questions) + n_ends > min(MOST, int(len(interactions) * SHARE)):
            break
        held[rows[len(rows) - n_ends :]] = True
        questions += _about(interactions, rows, n_ends)
    if len(questions) < FEWEST:
        return HoldOut(interactions, ())
    return HoldOut(part(interactions, ~held), questions)


def _about(interactions: Interactions, rows: NDArray[np.int64], n_ends: int) -> list[Question]:
    """Return questions about those of the last `n_ends` of `rows` that are liked and new to the person."""
    return [
        Question(_history(interactions, rows[:end]), int(interactions.time[rows[end]]), int(item))
        for end in range(len(rows) - n_ends, len(rows))
        if interactions.weight[rows[end]] > 0.0
        and (item := interactions.item[rows[end]]) not in interactions.item[rows[:end]]
    ]


def _history(interactions: Interactions, rows: NDArray[np.int64]) -> History:
    return History(
        item=interactions.item[rows],
        weight=interactions.weight[rows],
        time=interactions.time[rows],
        type=np.zeros(len(rows), np.int16),
    )
