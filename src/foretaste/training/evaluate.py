"""The blend learnt on what tunes, the chances calibrated and everything judged on what judges."""

from collections.abc import Mapping, Sequence
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
from foretaste.models.live_model import LiveModel
from foretaste.pipeline.artifact import assemble
from foretaste.pipeline.compose import pairs
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.ranking.hedge import hedged, hedged_by_best
from foretaste.ranking.samples import Sample
from foretaste.training.asking import asked_at, asked_between
from foretaste.training.composition import Composition
from foretaste.training.hidden import Hidden
from foretaste.training.lessons import Lesson, lessons
from foretaste.training.prepare import Prepared
from foretaste.training.sources import is_fleeting

ENOUGH = 0.5
"""So large a part of `tuned` must be people of whom a source proposes what they took: else more are asked."""

MOST_FOLDED = 4_000_000
"""In time order questions are asked of the state that so many of the latest events make: bounds memory."""

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

    The weights are hedged (see `ranking.hedge`). Where order is unknown: what comes next is no random part of
    the past, and a part drawn by lot is all that there is to learn from. In time order: models were younger
    when the tuning part asked them than they will be.
    """
    sources = tuple(models)
    untrained = assemble(models, Blend.even(sources), Calibration.flat(), UNPUBLISHED)
    composition = Composition(prepared.corpus, state, untrained, prepared.config.scenario, sources=False)
    samples: list[Sample] = []
    for asked in lessons(prepared):
        samples += _learnt_from(asked, prepared, composition, advance)
        if sum(sample.length > 0 for sample in samples) >= ENOUGH * (prepared.config.tuned or 0):
            break
    let_in(prepared, state, state.seq, prepared.test)
    advance(1.0)
    fleeting = [source for source, model in models.items() if is_fleeting(model.config)]
    blend = Blend.fit(samples, sources=sources, seed=prepared.seed, fleeting=fleeting)
    if prepared.timed:
        live = [source for source, model in models.items() if isinstance(model, LiveModel)]
        return hedged_by_best(blend, samples, sources=sources, live=live)
    if prepared.kind != "hold-out":
        return blend
    rivals = [source for source, model in models.items() if isinstance(_plain(model.config), RIVALS)]
    return hedged(blend, samples, sources=sources, rivals=rivals)


def _plain(config: Any) -> Any:
    return config.base if isinstance(config, ColdItemsConfig) else config


def _learnt_from(
    asked: Sequence[Lesson], prepared: Prepared, composition: Composition, advance: Advance
) -> list[Sample]:
    """Return what the questions teach: of those to which no source proposes the answer, nothing."""
    hidden, done = Hidden(prepared), prepared.tune
    samples: list[Sample] = []
    for number, (position, user, truth) in enumerate(asked):
        if prepared.timed:
            composition.apply(prepared.events.take(done, position))
            done = position
        others = hidden.others(position, user, truth)
        now, told = asked_at(prepared, position), prepared.circumstances_at(position)
        sample = composition.sample(user, now, truth, without=others, told=told)
        if sample.truth >= 0:
            samples.append(replace(sample, visit=position, person=user))
        if number % 100 == 0:
            advance(number / len(asked))
    return samples


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
