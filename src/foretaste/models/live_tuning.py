"""Choosing the settings of models that read the state: replay the window's end, see what foretells it best.

Two rounds. In the first every open setting is tried at each of its choices, all others as usual; in the
second the settings that gained join each other, the one that gained most first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.refolded import events_of
from foretaste.models.grid_walk import WORTHWHILE
from foretaste.models.interface import Model, Moment
from foretaste.models.limits import affordable_questions
from foretaste.models.training_matrix import last_of_each, part, with_users_up_to

CUTOFF = 20
"""NDCG is taken of the first so many places."""
QUESTIONS = 1_000
FEWEST = 50
"""With fewer questions the usual values are better than what noise would choose."""
SHARE = 0.1
"""The part of the window, its end, that is replayed."""
MOST_EVENTS = 400_000
"""Of a longer window only the latest so many events are folded."""

C = TypeVar("C", bound=msgspec.Struct)


def settled(
    config: C,
    choices: Mapping[str, Sequence[Any]],
    interactions: Interactions,
    seed: int,
    *,
    again: bool = False,
) -> C:
    """Return `config` with what is None in it chosen out of `choices`, of which the first is the usual one.

    Asked is what people take for the first time, or what they take `again`. Where the interactions have no
    order, or give too few questions, the usual one is taken. The configuration's `fit` must learn nothing
    from interactions once nothing is open.
    """
    open_names = [name for name in choices if getattr(config, name) is None]
    usual = _with(config, {name: choices[name][0] for name in open_names})
    if not open_names or not interactions.timed:
        return usual
    exam = _exam(interactions, seed, again=again)
    steps = [(name, choice) for name in open_names for choice in choices[name][1:]]
    values = _values(exam, [usual, *(_with(usual, dict([step])) for step in steps)])
    if len(values[0]) < FEWEST:
        return usual
    gained = {step: float(value.mean()) for step, value in zip(steps, values[1:], strict=True)}
    best = [max((step for step in steps if step[0] == name), key=gained.__getitem__) for name in open_names]
    bar = WORTHWHILE * float(values[0].mean())
    worth = sorted((step for step in best if gained[step] > bar), key=gained.__getitem__, reverse=True)
    if len(worth) < 2:
        return _with(usual, dict(worth))
    joined = [_with(usual, dict(worth[: n + 1])) for n in range(len(worth))]
    return joined[int(np.argmax([value.mean() for value in _values(exam, joined)]))]


@dataclass(frozen=True, slots=True, eq=False)
class _Exam:
    """Events of which those before `begin` are known; asked is what happens at `places`, rising.

    `live`: what happens up to a question is known then. `again`: about what was had before, else about new.
    """

    window: Interactions
    begin: int
    places: Int64s
    live: bool
    again: bool


def _exam(interactions: Interactions, seed: int, *, again: bool) -> _Exam:
    if interactions.sequential:
        interactions = with_users_up_to(interactions, MOST_EVENTS, seed)
        last = last_of_each(interactions.user)
        order, begin = np.argsort(last, kind="stable"), int((~last).sum())
    else:
        order = np.arange(len(interactions))[-MOST_EVENTS:]
        begin = int(len(order) * (1.0 - SHARE))
    asked = begin + np.flatnonzero(interactions.weight[order[begin:]] > 0.0)
    most = affordable_questions(QUESTIONS, interactions.n_items, fewest=2 * FEWEST)
    drawn = np.random.default_rng(seed).permutation(asked)[:most]
    return _Exam(part(interactions, order), begin, np.sort(drawn), not interactions.sequential, again)


def _values(exam: _Exam, configs: Sequence[Any]) -> list[Doubles]:
    """Return the NDCG of each configuration's model at every place that can be asked about."""
    catalog = CatalogColumns.empty()
    models: list[Model] = [config.fit(exam.window, 0, catalog) for config in configs]
    state, events = events_of(exam.window)
    state.apply(events.take(0, exam.begin))
    done, gains = exam.begin, []
    for place in exam.places.tolist():
        if exam.live:
            state.apply(events.take(done, place))
            done = place
        user, item = int(events.user[place]), int(events.item[place])
        had = state.tally(user).item
        if not len(had) or (item in had) != exam.again:
            continue
        left_out = had[:0] if exam.again else had
        moment = Moment(int(events.time[place]), state.items, catalog, state.people, user)
        history = state.history(user)
        gains.append([_gain(model.score(history, moment), left_out, item) for model in models])
    return list(np.array(gains, np.float64).reshape(len(gains), len(models)).T)


def _gain(scores: Floats, left_out: Ordinals, item: int) -> float:
    """Return the NDCG of one answer, ties broken in the middle."""
    if item >= len(scores):
        return 0.0
    target = scores[item]
    scores[left_out] = -np.inf
    place = (scores > target).sum() + ((scores == target).sum() - 1) / 2.0
    return float(1.0 / np.log2(2.0 + place)) if place < CUTOFF else 0.0


def _with(config: C, values: Mapping[str, Any]) -> C:
    return msgspec.structs.replace(config, **values)
