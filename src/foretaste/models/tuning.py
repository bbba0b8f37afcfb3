"""A validation part of the training window, on which a learner chooses what its configuration leaves open."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles, Floats, Ordinals
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.recency import Recency
from foretaste.models.grid_walk import WORTHWHILE
from foretaste.models.hold_out import given_up
from foretaste.models.limits import affordable_questions
from foretaste.models.training_matrix import last_of_each, part

CUTOFF = 20
"""NDCG is taken of the first so many places."""
MAX_QUERIES = 2_000
FEWEST_QUERIES = 100
"""So many are asked however many items there are; else `MOST_SCORES` in all are computed."""
MAX_QUERIES_PER_USER = 20
"""Else a few busy people would choose for all."""
SHARE = 0.1
"""Part of the window that is held out: its end where it has times, else a part of each history."""
BATCH = 250
MAX_SCORES = 20_000_000
"""So many queries, and so many scores, are computed at once: bounds memory."""
MIN_QUERIES = 50
"""With fewer questions the usual values are better than what noise would choose."""
USUAL_RECENCY = Recency(half_life_events=4.0)
RECENCIES = (
    Recency(power=1.0),
    *(Recency(half_life_events=events) for events in (1.0, 2.0, 8.0, 16.0, 32.0, 64.0)),
    Recency(),
)
"""Ways to forget that are tried beside the usual one; equals go to the earlier."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What to fit on, and questions with known answers: `answers[q]` holds items not in `histories[q]`."""

    train: Interactions
    histories: Sequence[History]
    answers: Sequence[Ordinals]

    def __len__(self) -> int:
        """How many questions there are."""
        return len(self.histories)


def validation(interactions: Interactions, seed: int) -> Validation:
    """Hold a part of `interactions` out.

    Timed: the last tenth; a question is one of its events, asked of all that its user did before, the
    events of that tenth included. Sequential: the last event of every user. Untimed: a tenth of every
    history, rounded up, drawn by `seed`: short histories count as much as long ones. Users without a
    history before the question are left out; so may be all of them.
    """
    generator = np.random.default_rng(seed)
    if interactions.timed and interactions.sequential:
        return _by_last(interactions, generator)
    return _by_time(interactions, generator) if interactions.timed else _by_lot(interactions, generator)


def ndcg(questions: Validation, score: Callable[[Sequence[History]], Floats]) -> float:
    """Return the mean NDCG over all items not had; `score` gives float32 [len(histories), n_items]."""
    return ndcg_by_rows(questions, lambda rows: score(questions.histories[rows]))


def ndcg_by_rows(questions: Validation, score: Callable[[slice], Floats]) -> float:
    """Return `ndcg` where `score` is given the rows of the questions instead of their histories."""
    total = 0.0
    batch = max(1, min(BATCH, MAX_SCORES // max(1, questions.train.n_items)))
    for start in range(0, len(questions), batch):
        rows = slice(start, start + batch)
        histories, answers = questions.histories[rows], questions.answers[rows]
        for scores, history, answer in zip(score(rows), histories, answers, strict=True):
            total += _ndcg_of_one(scores, history.item, answer)
    return total / max(len(questions), 1)


def best_recency(questions: Validation, value: Callable[[Recency], float]) -> Recency:
    """Return the way to forget with the highest `value`; none where the data has no times."""
    if not questions.train.timed:
        return Recency()
    if len(questions) < MIN_QUERIES:
        return USUAL_RECENCY
    values = [value(recency) for recency in RECENCIES]
    best = int(np.argmax(values))
    return RECENCIES[best] if values[best] > WORTHWHILE * value(USUAL_RECENCY) else USUAL_RECENCY


def _ndcg_of_one(scores: Floats, seen: Ordinals, answer: Ordinals) -> float:
    """NDCG with ties broken in the middle, so that equal scores for all are worth nothing."""
    targets = scores[answer]
    candidates = scores.copy()
    candidates[seen] = -np.inf
    above = (candidates[np.newaxis, :] > targets[:, np.newaxis]).sum(axis=1)
    tied = (candidates[np.newaxis, :] == targets[:, np.newaxis]).sum(axis=1) - 1
    place: Doubles = above + tied / 2.0
    gain = 1.0 / np.log2(2.0 + place[place < CUTOFF])
    best = 1.0 / np.log2(2.0 + np.arange(min(len(answer), CUTOFF)))
    return float(gain.sum() / best.sum())


def _by_time(interactions: Interactions, generator: np.random.Generator) -> Validation:
    cut = int(len(interactions) * (1.0 - SHARE))
    order = np.argsort(interactions.user, kind="stable")
    user = interactions.user[order]
    begins = np.flatnonzero(np.concatenate(([True], user[1:] != user[:-1]))) if len(user) else order
    begin = np.repeat(begins, np.diff(np.concatenate((begins, [len(user)]))))
    asked = np.flatnonzero(
        (order >= cut) & (interactions.weight[order] > 0.0) & (begin < np.arange(len(user)))
    )
    asked, most = generator.permutation(asked), _most(interactions)
    asked = np.sort(asked[_rank_among_equals(user[asked]) < MAX_QUERIES_PER_USER][: 2 * most])
    histories: list[History] = []
    answers: list[Ordinals] = []
    for place in asked:
        past = order[begin[place] : place]
        item = interactions.item[order[place]]
        if item not in interactions.item[past] and len(histories) < most:
            histories.append(_history(interactions, past))
            answers.append(np.array([item], np.int32))
    train = np.zeros(len(interactions), np.bool_)
    train[:cut] = True
    return Validation(part(interactions, train), histories, answers)


def _most(interactions: Interactions) -> int:
    return affordable_questions(MAX_QUERIES, interactions.n_items, fewest=FEWEST_QUERIES)


def _rank_among_equals(values: Ordinals) -> NDArray[np.int64]:
    """Return for each entry how many equal ones stand before it."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    lengths = np.diff(np.concatenate((begins, [len(values)])))
    rank = np.empty(len(values), np.int64)
    rank[order] = np.arange(len(values)) - np.repeat(begins, lengths) if len(values) else 0
    return rank


def _by_last(interactions: Interactions, generator: np.random.Generator) -> Validation:
    last = last_of_each(interactions.user)
    order = np.argsort(interactions.user, kind="stable")
    bounds = np.searchsorted(interactions.user[order], np.arange(interactions.n_users + 1))
    histories: list[History] = []
    answers: list[Ordinals] = []
    most = _most(interactions)
    for user in generator.permutation(interactions.n_users):
        rows = order[bounds[user] : bounds[user + 1]]
        past, end = rows[:-1], rows[-1:]
        answer = np.setdiff1d(interactions.item[end[interactions.weight[end] > 0.0]], interactions.item[past])
        if len(past) and len(answer):
            histories.append(_history(interactions, past))
            answers.append(answer.astype(np.int32))
        if len(histories) == most:
            break
    return Validation(part(interactions, ~last), histories, answers)


def _by_lot(interactions: Interactions, generator: np.random.Generator) -> Validation:
    lot = np.lexsort((generator.random(len(interactions)), interactions.user))
    bounds = np.searchsorted(interactions.user[lot], np.arange(interactions.n_users + 1))
    lengths = np.diff(bounds)
    rank = np.arange(len(lot)) - np.repeat(bounds[:-1], lengths)
    hidden = given_up(np.where(lengths > 1, lengths, 0), SHARE, generator.random(len(lengths)))
    held = np.zeros(len(interactions), np.bool_)
    held[lot] = rank < np.repeat(hidden, lengths)
    order = np.argsort(interactions.user, kind="stable")
    histories: list[History] = []
    answers: list[Ordinals] = []
    most = _most(interactions)
    for user in generator.permutation(interactions.n_users):
        rows = order[bounds[user] : bounds[user + 1]]
        past = rows[~held[rows]]
        wanted = rows[held[rows] & (interactions.weight[rows] > 0.0)]
        answer = np.setdiff1d(interactions.item[wanted], interactions.item[past])
        if len(past) and len(answer):
            histories.append(_history(interactions, past))
            answers.append(answer.astype(np.int32))
        if len(histories) == most:
            break
    return Validation(part(interactions, ~held), histories, answers)


def _history(interactions: Interactions, rows: NDArray[np.int64]) -> History:
    return History(
        item=interactions.item[rows],
        weight=interactions.weight[rows],
        time=interactions.time[rows],
        type=np.zeros(len(rows), np.int16),
    )
