"""How well an approximate index finds: measured when it is built, and searched harder until it is enough."""

from collections.abc import Callable

import numpy as np

from foretaste.domain.arrays import Floats, Int64s

LEAST_RECALL = 0.95
"""The least share of the true best ten that an approximate index is to find."""
SAMPLES, BEST = 200, 10
"""How recall is measured: on so many questions, about so many best."""

Ask = Callable[[Floats, int], Int64s]
"""Questions and an effort in, the ordinals of the best found out, int [q, `BEST`]."""


def least_effort(
    ask: Ask, rows: Floats, *, first: int, most: int, effort: int | None = None, least: float = LEAST_RECALL
) -> tuple[int, float]:
    """Return the least effort, doubled from `first` to `most`, that finds a share of `least`, and its recall.

    Where even `most` finds less, that is returned; where an `effort` is given, that one with its recall.
    """
    if not len(rows):
        return first if effort is None else effort, 1.0
    questions = sample_questions(rows)
    truth = true_best(questions, rows)
    tried = min(first, most) if effort is None else effort
    recall = share_found(ask(questions, tried), truth)
    while effort is None and recall < least and tried < most:
        tried = min(2 * tried, most)
        recall = share_found(ask(questions, tried), truth)
    return tried, recall


def sample_questions(rows: Floats, seed: int = 0) -> Floats:
    """Return questions like those to come: rows, and, every other one, a quarter of the way to another."""
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, len(rows), (2, min(SAMPLES, len(rows))))
    other[::2] = one[::2]
    return np.ascontiguousarray(np.float32(0.75) * rows[one] + np.float32(0.25) * rows[other])


def true_best(questions: Floats, rows: Floats) -> Int64s:
    """Return the ordinals of the best rows of each question, int64 [q, at most `BEST`], in any order."""
    most = min(BEST, len(rows))
    best = [np.argpartition(-(rows @ question), most - 1)[:most] for question in questions]
    return np.array(best, np.int64)


def share_found(found: Int64s, truth: Int64s) -> float:
    """Return the mean share of each row of `truth` that is in the same row of `found`."""
    return float(np.mean([np.isin(right, own).mean() for right, own in zip(truth, found, strict=True)]))
