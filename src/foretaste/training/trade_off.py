"""What variety costs: the same questions answered at many settings of what trades accuracy for variety."""

import msgspec
import numpy as np

from foretaste.domain.arrays import Ordinals
from foretaste.domain.circumstances import known_at
from foretaste.domain.event import EventColumns
from foretaste.domain.query import Query
from foretaste.evaluation.judgement import Advance, Score, scores_of, unheard
from foretaste.pipeline.choosing import chosen
from foretaste.pipeline.scoring import scored
from foretaste.pipeline.view import View
from foretaste.training.contexts import Moments
from foretaste.training.evaluate import judge_all, state_before
from foretaste.training.judging import Learnt, full_surroundings

LAMBDA, CORRECTION = "diversity_lambda", "popularity_correction"
LAMBDAS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
CORRECTIONS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7)


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """How the blend does with `knob` at `setting`, all else as usual; `usual` marks what ships."""

    knob: str
    setting: float
    usual: bool
    score: Score


class Settings:
    """Implements `evaluation.judgement.Judged`: one list for each setting, all of the same scores."""

    def __init__(self, learnt: Learnt) -> None:
        prepared = learnt.prepared
        self._learnt = learnt
        self._state = state_before(prepared, prepared.test)
        scenario = prepared.config.scenario
        lambdas = sorted({*LAMBDAS, scenario.diversity_lambda}, reverse=True)
        corrections = sorted({*CORRECTIONS, scenario.popularity_correction})
        corpus = learnt.prepared.corpus
        self._moments = Moments(corpus.events, corpus.contexts)
        self.places = [
            *((LAMBDA, value, value == scenario.diversity_lambda) for value in lambdas),
            *((CORRECTION, value, value == scenario.popularity_correction) for value in corrections),
        ]

    @property
    def names(self) -> tuple[str, ...]:
        """What the lists are called: knob and setting."""
        return tuple(f"{knob}={value}" for knob, value, _ in self.places)

    def apply(self, events: EventColumns) -> object:
        """Fold events into the state."""
        return self._state.apply(events)

    def lists(self, user: int, now: int, k: int) -> Ordinals:
        """Return the best `k` items by each setting, int32 [len(names), k]."""
        query = Query(now=now, seed=0, k=k, scenario=self._learnt.prepared.config.scenario.name)
        view = self._view(user, now)
        ranked = scored(query, view)
        lists = np.full((len(self.places), k), -1, np.int32)
        for row, (knob, value, _) in enumerate(self.places):
            found = chosen(msgspec.structs.replace(query, **{knob: value}), view, ranked)
            lists[row, : len(found)] = ranked.candidates.item[found]
        return lists

    def _view(self, user: int, now: int) -> View:
        corpus = self._learnt.prepared.corpus
        return View(
            state=self._state,
            catalog=corpus.catalog,
            artifact=self._learnt.artifact,
            scenario=self._learnt.prepared.config.scenario,
            item_names=corpus.item_names,
            type_names=corpus.type_names,
            user=user,
            circumstances=known_at(self._moments.of(user, now), corpus.people.of(user)),
        )


def trade_off(learnt: Learnt, *, advance: Advance = unheard) -> tuple[Point, ...]:
    """Return the accuracy and the kind of lists over `diversity_lambda`, then over `popularity_correction`.

    The questions are those of `judge_learnt`; while one knob moves, the other stays as the scenario has it.
    """
    settings = Settings(learnt)
    judgement = judge_all(learnt.prepared, settings, advance=advance)
    around = full_surroundings(learnt, judgement)
    scores = scores_of(judgement, around, seed=learnt.prepared.seed, k=learnt.prepared.config.k)
    return tuple(
        Point(knob=knob, setting=value, usual=usual, score=score)
        for (knob, value, usual), score in zip(settings.places, scores, strict=True)
    )
