"""The search for better hyper-parameters, source by source, by what they add to the blend.

Sources that weigh more in the blend get more rounds of trials (see `foretaste.training.search`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import msgspec
import numpy as np

from foretaste.domain.artifact import Trial
from foretaste.evaluation.judgement import Advance, unheard
from foretaste.models.content import Content
from foretaste.models.interface import Model
from foretaste.training.candidates import Mode, TrialFits
from foretaste.training.practice import Practice, practice
from foretaste.training.prepare import Prepared
from foretaste.training.proposals import proposals
from foretaste.training.search import Outcome, play
from foretaste.training.search_space import Values, space_of, values_of
from foretaste.training.tuning import Told, Tuning, untold

WIDTH, REFIT_WIDTH = 9, 3
"""Proposals in a round whose trials need no fit, and in one whose trials do."""
PATIENCE = 4
"""So many rounds in a row without a gain end the search in a source."""
FEWEST_QUESTIONS = 200
"""With fewer questions nothing is searched: chance would choose."""
ASKING = 0.1
"""The part of the progress that asking the questions is."""


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """What the search came to.

    `models` are fitted on what `learn` fits on; `chosen` are the values adopted, by source. `before` and
    `after` are the blend's NDCG@10 on the questions, `ended` says in words why the search ended.
    """

    models: Mapping[str, Model]
    chosen: Mapping[str, dict[str, Any]]
    trials: tuple[Trial, ...]
    before: float
    after: float
    questions: int
    ended: str


def tune(
    prepared: Prepared,
    models: Mapping[str, Model],
    tuning: Tuning,
    *,
    remembered: Mapping[str, Values] | None = None,
    told: Told = untold,
    advance: Advance = unheard,
) -> Tuned | None:
    """Search; return what was found, None where there are too few questions or nothing to search in.

    `models` are the sources, fitted on the part before `prepared.tune`. `remembered` values, of an earlier
    search, are tried first. An interruption (Ctrl-C) ends the search and keeps what was found.
    """
    began = perf_counter()
    if tuning.is_empty:
        return None
    fits = TrialFits(prepared)
    modes = _modes(models, timed=fits.timed, refit=tuning.refit)
    if not modes:
        return None
    asked = practice(prepared, models, tuning.questions, advance=lambda share: advance(ASKING * share))
    if len(asked) < FEWEST_QUESTIONS:
        return None
    search = _Search(asked, models, tuning, fits, modes, began, prepared.seed)
    return search.run(dict(remembered or {}), told, advance)


class _Search:
    """One search, from the models as they are."""

    def __init__(
        self,
        asked: Practice,
        models: Mapping[str, Model],
        tuning: Tuning,
        fits: TrialFits,
        modes: Sequence[Mode],
        began: float,
        seed: int,
    ) -> None:
        self._asked = asked
        self._models = dict(models)
        self._tuning = tuning
        self._began = began
        self._generator = np.random.default_rng(seed)
        self._fits = fits
        self._modes = modes
        self._trials: list[Trial] = []
        self._chosen: dict[str, dict[str, Any]] = {}

    def run(self, remembered: dict[str, Values], told: Told, advance: Advance) -> Tuned:
        """Search until the budget is spent, nothing more is found, or the person interrupts."""
        before = after = self._score()
        ended = "nothing better was found any more"
        try:
            while (mode := self._next()) is not None:
                if self._spent() >= 1.0:
                    ended = "the budget is spent"
                    break
                incumbent = self._models[mode.source]
                proposed = self._proposed(mode, incumbent, remembered)
                outcome = play(mode, proposed, incumbent, self._asked, self._fits, self._generator)
                is_better = self._take(mode, outcome)
                after = self._score() if is_better else after
                for trial in self._noted(mode, outcome, is_better=is_better):
                    told(trial, after)
                advance(ASKING + (1.0 - ASKING) * min(1.0, self._spent()))
        except KeyboardInterrupt:
            ended = "interrupted"
        advance(1.0)
        return Tuned(self._models, self._chosen, tuple(self._trials), before, after, len(self._asked), ended)

    def _next(self) -> Mode | None:
        """Return where the next round promises most: much weight, little tried so far."""
        shares = self._asked.shares()
        free = [mode for mode in self._modes if mode.failures < PATIENCE and self._has_time_for(mode)]
        return max(free, key=lambda mode: shares[mode.source] / (WIDTH + mode.trials), default=None)

    def _proposed(self, mode: Mode, incumbent: Model, remembered: dict[str, Values]) -> list[dict[str, Any]]:
        """Return what to try: at first what an earlier search chose, then what lies near and far."""
        best = values_of(incumbent.config, mode.space)
        earlier = {path: value for path, value in remembered.get(mode.source, {}).items() if path in best}
        count = REFIT_WIDTH if mode.refit else WIDTH
        if self._tuning.trials is not None:
            count = min(count, self._tuning.trials - len(self._trials))
        found = proposals(
            mode.space, best, mode.start, count, failures=mode.failures, generator=self._generator
        )
        if mode.trials == 0 and earlier and {**best, **earlier} != best:
            found = [{**best, **earlier}, *found][:count]
        return found

    def _take(self, mode: Mode, outcome: Outcome) -> bool:
        """Let the source be what the round found, if the blend as a whole is better for it."""
        if outcome.adopted is None or not self._asked.adopt(mode.source, outcome.adopted.model):
            mode.failures += 1
            return False
        mode.failures = 0
        source, model = mode.source, outcome.adopted.model
        self._models[source] = model
        values = values_of(model.config, mode.space)
        changed = {path: value for path, value in values.items() if value != mode.start[path]}
        kept = {path: value for path, value in self._chosen.get(source, {}).items() if path not in values}
        self._chosen[source] = {**kept, **changed}
        return True

    def _noted(self, mode: Mode, outcome: Outcome, *, is_better: bool) -> list[Trial]:
        numbered = []
        for number, trial in enumerate(outcome.trials, start=len(self._trials) + 1):
            word = "beaten" if trial.outcome == "adopted" and not is_better else trial.outcome
            numbered.append(msgspec.structs.replace(trial, number=number, outcome=word))
        self._trials += numbered
        mode.trials += max(len(numbered), 1)
        return numbered

    def _score(self) -> float:
        return float(self._asked.gained(np.arange(len(self._asked))).mean())

    def _spent(self) -> float:
        """Return the part of the budget that is used up."""
        parts = [0.0]
        if self._tuning.trials is not None:
            parts.append(len(self._trials) / self._tuning.trials)
        if self._tuning.minutes is not None:
            parts.append((perf_counter() - self._began) / (60.0 * self._tuning.minutes))
        return max(parts)

    def _has_time_for(self, mode: Mode) -> bool:
        """Return whether a round of fits is within their number, and ends in time, as far as others tell."""
        if not mode.refit:
            return True
        fitted = sum(each.trials for each in self._modes if each.refit)
        if self._tuning.fits is not None and fitted + REFIT_WIDTH > self._tuning.fits:
            return False
        if self._tuning.minutes is None:
            return True
        left = 60.0 * self._tuning.minutes - (perf_counter() - self._began)
        return self._fits.seconds.get(mode.source, 0.0) * REFIT_WIDTH < left


def _modes(models: Mapping[str, Model], *, timed: bool, refit: bool) -> list[Mode]:
    """Return the searches there are: by source that says anything, and by whether trials need a fit."""
    found = []
    for source, model in models.items():
        if isinstance(model, Content) and model.is_silent:
            continue
        space = space_of(model.config, timed=timed, refit=refit)
        for fits in (False, True):
            part = tuple(one for one in space if one.refit == fits)
            if part:
                found.append(Mode(source, fits, part, values_of(model.config, part)))
    return found
