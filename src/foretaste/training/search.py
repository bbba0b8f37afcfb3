"""A round of trials: several proposals on a few questions, the best on more, the winner beside what there is.

Successive halving (Jamieson and Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter
Optimization"). The winner of a round is compared, question by question, with what the source is now, on
questions that had no part in choosing it: only a gain of more than a standard error there is adopted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from foretaste.domain.arrays import Int64s
from foretaste.domain.artifact import Trial
from foretaste.models.interface import Model
from foretaste.training.candidates import FACTORS, Candidate, Mode, TrialFits
from foretaste.training.practice import Practice

STAGES = (0.15, 0.35)
"""The parts of the questions on which the proposals, and the best third of them, are judged."""
KEPT = 3
"""One in so many goes on to the next stage."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a round came to: every trial in words, and the model to adopt, if there is one."""

    trials: tuple[Trial, ...]
    adopted: Candidate | None


def play(
    mode: Mode,
    proposed: Sequence[dict[str, Any]],
    incumbent: Model,
    asked: Practice,
    fits: TrialFits,
    generator: np.random.Generator,
) -> Outcome:
    """Judge `proposed` values of one source beside the `incumbent`; draws the questions from `generator`."""
    order = generator.permutation(len(asked))
    first, second = (int(part * len(order)) for part in np.cumsum(STAGES))
    reference = Candidate({}, incumbent)
    made = [fits.candidate(mode, incumbent, values) for values in proposed]
    trials = [_failed(mode, values) for values, one in zip(proposed, made, strict=True) if one is None]
    candidates = [one for one in made if one is not None]
    kept = _judged(mode.source, candidates, reference, asked, order[:first])
    trials += [_trial(mode, loser, reference, "stopped") for loser in kept[max(1, len(kept) // KEPT) :]]
    kept = kept[: max(1, len(kept) // KEPT)]
    used = first
    if len(kept) > 1:
        kept = _judged(mode.source, kept, reference, asked, order[first:second])
        trials += [_trial(mode, loser, reference, "stopped") for loser in kept[1:]]
        used = second
    if not kept:
        return Outcome(tuple(trials), None)
    if kept[0].share == 1.0 and kept[0].best.mean() <= reference.best[: len(kept[0].best)].mean():
        return Outcome((*trials, _trial(mode, kept[0], reference, "stopped")), None)
    winner = kept[0]
    for fitted in (made, candidates, kept):  # the losers' memory is free before the winner is fitted on all
        fitted.clear()
    return _final(mode, winner, reference, asked, fits, order[used:], trials)


def _final(
    mode: Mode,
    winner: Candidate,
    reference: Candidate,
    asked: Practice,
    fits: TrialFits,
    unseen: Int64s,
    trials: list[Trial],
) -> Outcome:
    """Compare the winner, fitted on all, with the incumbent on `unseen` questions, each at its factor."""
    factors = (FACTORS[winner.factor], FACTORS[reference.factor])
    whole = winner if winner.share == 1.0 else fits.whole(mode, reference.model, winner.values)
    if whole is None:
        return Outcome((*trials, _failed(mode, winner.values)), None)
    rows = np.sort(unseen)
    rest, weight = asked.without(mode.source, rows), asked.weight_of(mode.source)
    theirs = asked.own(mode.source, rows)
    ours = asked.scores_of([whole.model], rows)[0]
    whole.gained = [asked.gained_with(rest, ours, factors[0] * weight, rows)[None]]
    reference.gained = [asked.gained_with(rest, theirs, factors[1] * weight, rows)[None]]
    gain = whole.best - reference.best
    better = bool(gain.mean() > gain.std() / np.sqrt(max(len(gain), 1)))
    told = _trial(mode, whole, reference, "adopted" if better else "beaten")
    return Outcome((*trials, told), whole if better else None)


def _judged(
    source: str, candidates: Sequence[Candidate], reference: Candidate, asked: Practice, questions: Int64s
) -> list[Candidate]:
    """Ask all of them, the reference too; return the candidates, best first."""
    rows = np.sort(questions)
    rest, weight = asked.without(source, rows), asked.weight_of(source)
    columns = [asked.own(source, rows), *asked.scores_of([one.model for one in candidates], rows)]
    for one, column in zip((reference, *candidates), columns, strict=True):
        gained = [asked.gained_with(rest, column, factor * weight, rows) for factor in FACTORS]
        one.gained.append(np.stack(gained))
    return sorted(candidates, key=lambda one: -one.best.mean())


def _trial(mode: Mode, one: Candidate, reference: Candidate, outcome: Any) -> Trial:
    value = one.best
    gain = value - reference.best[: len(value)]
    return Trial(
        number=0,
        source=mode.source,
        values=one.values,
        outcome=outcome,
        questions=len(value),
        share=round(one.share, 3),
        value=round(float(value.mean()), 6),
        gain=round(float(gain.mean()), 6),
        error=round(float(gain.std() / np.sqrt(max(len(gain), 1))), 6),
    )


def _failed(mode: Mode, values: dict[str, Any]) -> Trial:
    return Trial(
        number=0,
        source=mode.source,
        values=values,
        outcome="failed",
        questions=0,
        share=1.0,
        value=0.0,
        gain=0.0,
        error=0.0,
    )
