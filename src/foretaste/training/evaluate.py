"""The blend learnt on what tunes, the chances calibrated and everything judged on what judges."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.artifact import ArtifactManifest
from foretaste.evaluation.hold_out import held_back, judge
from foretaste.evaluation.judgement import Advance, Judged, Judgement, Surroundings, unheard
from foretaste.evaluation.replay import drawn, replay
from foretaste.features.state import State
from foretaste.models.cold_items import ColdItemsConfig
from foretaste.models.ease import EaseConfig
from foretaste.models.graph_filter import GraphFilterConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.interface import Model
from foretaste.pipeline.artifact import assemble
from foretaste.pipeline.compose import pairs
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.ranking.hedge import hedged
from foretaste.ranking.samples import Sample
from foretaste.training.asking import (
    asked_at,
    asked_between,
    evenly_drawn,
    session_starts,
    some_of_each,
    strangers_between,
)
from foretaste.training.composition import Composition
from foretaste.training.hidden import Hidden
from foretaste.training.prepare import Prepared

MORE = 2
"""In sequences so many times more questions are asked: of fewer any source proposes the answer."""

STRANGERS = 3
"""For one question of a stranger, and one at a session's start, so many are asked before each event."""

MOST_FOLDED = 4_000_000
"""In time order questions are asked of the state that so many of the latest events make: bounds memory."""

PER_SESSION = 3
"""At a session's start so many of what comes later in it are asked about: long visits count no more."""

RIVALS = (IALSConfig, EaseConfig, GraphFilterConfig)
"""Models of the same: who takes to what, told from nothing but who took what."""

UNPUBLISHED = ArtifactManifest(
    name="", version="unpublished", created_at=0, seed=0, window={}, n_users=0, n_items=0, models={}
)


def state_before(prepared: Prepared, position: int) -> State:
    """Return the fold of the events before `position`: in time order of the latest `MOST_FOLDED` of them."""
    state = State(prepared.config.state, lambda: prepared.corpus.type_names)
    start = max(0, position - MOST_FOLDED) if prepared.timed else 0
    if start:  # the first of them follows nothing
        state.apply(replace(prepared.events.take(start, start + 1), previous_seq=0))
    let_in(prepared, state, start, position)
    return state


def let_in(prepared: Prepared, state: State, start: int, stop: int) -> None:
    """Fold the events from position `start` to before `stop`.

    In sequences those that tune are only remembered as their person's own: who is judged by the last event
    must not profit from others' last but one, which may be later.
    """
    counted = stop if prepared.kind != "sequence" else min(max(start, prepared.tune), stop)
    state.apply(prepared.events.take(start, counted))
    state.remember(prepared.events.take(counted, stop))


def learn_blend(
    prepared: Prepared,
    state: State,
    models: Mapping[str, Model],
    *,
    advance: Advance = unheard,
) -> Blend:
    """Learn the blend on the tuning part; `state` goes in as of `tune` and comes out as of `test`.

    Where order is unknown the weights are hedged (see `ranking.hedge`): what comes next is no random part of
    the past, and a part drawn by lot is all that there is to learn from.
    """
    sources = tuple(models)
    untrained = assemble(models, Blend.even(sources), Calibration.flat(), UNPUBLISHED)
    composition = Composition(prepared.corpus, state, untrained, prepared.config.scenario, sources=False)
    events, done = prepared.events, prepared.tune
    samples: list[Sample] = []
    asked = _practice(prepared)
    hidden = Hidden(prepared)
    for number, (position, user, truth) in enumerate(asked):
        if prepared.timed:
            composition.apply(events.take(done, position))
            done = position
        others = hidden.others(position, user, truth)
        now, told = asked_at(prepared, position), prepared.contexts.of(position)
        sample = composition.sample(user, now, truth, without=others, told=told)
        samples.append(replace(sample, visit=position, person=user))
        if number % 100 == 0:
            advance(number / len(asked))
    let_in(prepared, state, done, prepared.test)
    advance(1.0)
    blend = Blend.fit(samples, sources=sources, seed=prepared.seed)
    if prepared.kind != "hold-out":
        return blend
    rivals = [source for source, model in models.items() if isinstance(_plain(model.config), RIVALS)]
    return hedged(blend, samples, sources=sources, rivals=rivals)


def _plain(config: Any) -> Any:
    return config.base if isinstance(config, ColdItemsConfig) else config


def _practice(prepared: Prepared) -> list[tuple[int, int, int]]:
    """Return the position, user and truth of every question the blend learns from.

    Some are asked as if by a stranger, user -1; some at the start of a session about what comes later in it,
    as a list shown on coming back should serve the whole visit. They are in order of time; of a hold-out,
    which has none and is judged by people, in an order drawn by lot, of everyone as few as do.
    """
    tune, test = prepared.tune, prepared.test
    user, item, config, seed = prepared.events.user, prepared.events.item, prepared.config, prepared.seed
    asked = asked_between(prepared, tune, test)
    more = MORE if prepared.kind == "sequence" else 1
    most = None if config.tuned is None else more * config.tuned
    held_out = prepared.kind == "hold-out"
    some = asked[evenly_drawn(user[asked], most, seed)] if held_out else drawn(asked, most, seed)
    few = None if config.tuned is None else config.tuned // STRANGERS
    strangers = drawn(strangers_between(prepared, tune, test), few, seed)
    found = [(position, int(user[position]), int(item[position])) for position in some.tolist()]
    found += [(position, -1, int(item[position])) for position in strangers.tolist()]
    if prepared.timed:
        starts = session_starts(prepared)
        known = np.isin(starts, asked)
        later = asked[(starts[asked] < asked) & known[asked]]
        later = later[some_of_each(starts[later], PER_SESSION, seed)]
        found += [
            (int(starts[position]), int(user[position]), int(item[position]))
            for position in drawn(later, few, seed + 1).tolist()
        ]
    found.sort()
    if held_out:
        found = [found[place] for place in np.random.default_rng(seed).permutation(len(found))]
    return found


def learn_calibration(prepared: Prepared, judgement: Judgement, composition: Composition) -> Calibration:
    """Learn what scores mean as chances: of being among all that the person goes on to take.

    Learnt on what `composition` remembers of the slates it was judged by.
    """
    if not prepared.timed:
        people, start, truths = _held_back(prepared)
        rows = np.searchsorted(people, judgement.user)
        futures = [truths[start[row] : start[row + 1]] for row in rows]
    else:
        futures = [_taken_from(prepared, position) for position in judgement.position.tolist()]
    scores: list[Floats] = [np.empty(0, np.float32)]
    labels: list[Mask] = [np.empty(0, np.bool_)]
    for ranked, future in zip(composition.remembered, futures, strict=True):
        score, label = pairs(ranked, future)
        scores.append(score)
        labels.append(label)
    return Calibration.fit(np.concatenate(scores), np.concatenate(labels))


def judge_all(
    prepared: Prepared,
    composition: Judged,
    *,
    advance: Advance = unheard,
) -> Judgement:
    """Judge `composition`, its state as of `prepared.test`: by live replay, or statically without times."""
    config, seed = prepared.config, prepared.seed + 1
    if prepared.timed:
        asked = asked_between(prepared, prepared.test, len(prepared.events))
        chosen = drawn(asked, config.judged, seed)
        return replay(
            prepared.events,
            chosen,
            composition,
            start=prepared.test,
            k=config.k,
            possible=len(asked),
            advance=advance,
        )
    people, start, truths = _held_back(prepared)
    rows = drawn(np.arange(len(people)), config.judged, seed)
    some = [truths[start[row] : start[row + 1]] for row in rows]
    return judge(
        people[rows],
        np.cumsum([0, *map(len, some)], dtype=np.int64),
        np.concatenate([*some, np.empty(0, np.int32)]).astype(np.int32),
        composition,
        now=asked_at(prepared, prepared.test),
        k=config.k,
        possible=len(people),
        advance=advance,
    )


def surroundings(prepared: Prepared, models: Mapping[str, Model]) -> Surroundings:
    """Return what lists are compared with: who had what before the judging part, and item vectors."""
    past = slice(0, prepared.test)
    counted = prepared.counts[past]
    pairs_had = np.unique(
        prepared.events.user[past][counted].astype(np.int64) << 32 | prepared.events.item[past][counted]
    )
    owners = np.bincount(pairs_had & 0xFFFFFFFF, minlength=prepared.corpus.n_items)
    n_users = len(np.unique(pairs_had >> 32))
    every = np.arange(prepared.corpus.n_items, dtype=np.int32)
    vectors = next((rows for model in models.values() if (rows := model.vectors(every)) is not None), None)
    return Surroundings(owners=owners, n_users=n_users, vectors=vectors)


def _taken_from(prepared: Prepared, position: int) -> Ordinals:
    """Return the items that the user of the event at `position` takes then and later."""
    later = slice(position, len(prepared.events))
    taken = (prepared.events.user[later] == prepared.events.user[position]) & prepared.counts[later]
    return np.asarray(prepared.events.item[later][taken])


def _held_back(prepared: Prepared) -> tuple[Ordinals, Int64s, Ordinals]:
    hidden = np.arange(prepared.test, len(prepared.events))
    return held_back(
        prepared.events.user,
        prepared.events.item,
        np.arange(prepared.test),
        hidden[prepared.counts[prepared.test :]],
    )
