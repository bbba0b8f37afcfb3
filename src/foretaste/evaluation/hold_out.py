"""The static question, for events without times: which items held back stand in a person's list."""

import numpy as np

from foretaste.domain.arrays import Int64s, Ordinals
from foretaste.evaluation.judgement import Advance, Judged, Judgement, unheard
from foretaste.evaluation.metrics import hits_of


def held_back(
    user: Ordinals, item: Ordinals, known: Int64s, hidden: Int64s
) -> tuple[Ordinals, Int64s, Ordinals]:
    """Return who is asked about, where each one's truths start (int64 [n + 1]), and the truths.

    `known` and `hidden` are positions into `user` and `item`. A truth is a hidden item that none of the
    user's known events is about, once; people without known events or truths are not asked about.
    """
    pairs = user.astype(np.int64) << 32 | item.astype(np.int64)
    truths = np.setdiff1d(pairs[hidden], pairs[known])
    truths = truths[np.isin(truths >> 32, user[known])]
    people, start = np.unique(truths >> 32, return_index=True)
    return (
        people.astype(np.int32),
        np.append(start, len(truths)).astype(np.int64),
        (truths & 0xFFFFFFFF).astype(np.int32),
    )


def judge(
    people: Ordinals,
    start: Int64s,
    truths: Ordinals,
    judged: Judged,
    *,
    now: int,
    k: int = 10,
    possible: int | None = None,
    advance: Advance = unheard,
) -> Judgement:
    """Ask `judged`, which knows the known events, once for each of `people`; see `held_back`."""
    names = tuple(judged.names)
    lists = np.full((len(names), len(people), k), -1, np.int32)
    for row, user in enumerate(people.tolist()):
        lists[:, row] = judged.lists(user, now, k)
        advance(row / len(people))
    hits = [hits_of(lists[row], start, truths) for row in range(len(names))]
    return Judgement(
        names=names,
        user=people,
        position=np.zeros(len(people), np.int64),
        lists=lists,
        hits=np.stack(hits) if hits else np.zeros((0, len(people), k), np.bool_),
        wanted=np.diff(start),
        possible=len(people) if possible is None else possible,
    )
