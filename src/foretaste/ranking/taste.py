"""Taste: what a person's past says of items, by the traits these share."""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.ranking.traits import TraitRows

STEPS = 8
TOLERANCE = 1e-6
"""Conjugate gradients end after so many steps, or when so little of the squared residual is left."""


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """For each candidate, float64 [n]: what ridge regression of the surprises on traits foretells.

    `ridge` weighs traits against each other, `plain` is the sum of surprises times likeness, `liked` and
    `passed` the summed likeness to what was taken and to what was left.
    """

    ridge: Doubles
    plain: Doubles
    liked: Doubles
    passed: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Some rows of `rows`: those numbered `row` int64, -1 for an empty one."""

    rows: TraitRows
    row: Int64s

    def __len__(self) -> int:
        """How many rows are chosen."""
        return len(self.row)


def taste_of(candidates: Chosen, past: Chosen, surprise: Doubles, n_traits: int, pull: float) -> Taste:
    """Return the taste that `surprise` (taken or not, less what was to be expected, by past item) tells of.

    Ridge regression in its dual form: (X Xᵀ + pull) a = surprise by conjugate gradients, X being the unit
    rows of the past; a candidate x gets x · Xᵀ a.
    """
    found = np.zeros((4, len(candidates)))
    if len(past) and len(candidates) and n_traits:
        _taste(
            candidates.rows.start,
            candidates.rows.term,
            candidates.rows.weight,
            candidates.row,
            past.rows.start,
            past.rows.term,
            past.rows.weight,
            past.row,
            surprise,
            n_traits,
            pull,
            found,
        )
    return Taste(*found)


@kernel
def _spread(
    start: Int64s, term: Ordinals, weight: Floats, chosen: Int64s, amount: Doubles, onto: Doubles
) -> None:
    for i in range(len(chosen)):
        row = chosen[i]
        if row >= 0:
            for place in range(start[row], start[row + 1]):
                onto[term[place]] += amount[i] * weight[place]


@kernel
def _gather(
    start: Int64s, term: Ordinals, weight: Floats, chosen: Int64s, source: Doubles, onto: Doubles
) -> None:
    for i in range(len(chosen)):
        row = chosen[i]
        total = 0.0
        if row >= 0:
            for place in range(start[row], start[row + 1]):
                total += source[term[place]] * weight[place]
        onto[i] = total


@kernel
def _clear(start: Int64s, term: Ordinals, chosen: Int64s, source: Doubles) -> None:
    for i in range(len(chosen)):
        row = chosen[i]
        if row >= 0:
            for place in range(start[row], start[row + 1]):
                source[term[place]] = 0.0


@kernel
def _solved(
    start: Int64s,
    term: Ordinals,
    weight: Floats,
    chosen: Int64s,
    surprise: Doubles,
    pull: float,
    by_trait: Doubles,
) -> Doubles:
    n = len(surprise)
    solution, residual, direction, product = np.zeros(n), surprise.copy(), surprise.copy(), np.empty(n)
    squares = (residual * residual).sum()
    enough = TOLERANCE * squares
    for _ in range(STEPS):
        if squares <= enough:
            break
        _clear(start, term, chosen, by_trait)
        _spread(start, term, weight, chosen, direction, by_trait)
        _gather(start, term, weight, chosen, by_trait, product)
        curvature = 0.0
        for i in range(n):
            product[i] += pull * direction[i]
            curvature += direction[i] * product[i]
        following = 0.0
        for i in range(n):
            solution[i] += squares / curvature * direction[i]
            residual[i] -= squares / curvature * product[i]
            following += residual[i] * residual[i]
        for i in range(n):
            direction[i] = residual[i] + following / squares * direction[i]
        squares = following
    return solution


@kernel
def _taste(
    start: Int64s,
    term: Ordinals,
    weight: Floats,
    chosen: Int64s,
    past_start: Int64s,
    past_term: Ordinals,
    past_weight: Floats,
    past: Int64s,
    surprise: Doubles,
    n_traits: int,
    pull: float,
    found: Doubles,
) -> None:
    by_trait = np.zeros(n_traits)
    dual = _solved(past_start, past_term, past_weight, past, surprise, pull, by_trait)
    amount = np.empty(len(surprise))
    for kind in range(4):
        for i in range(len(surprise)):
            if kind == 0:
                amount[i] = dual[i]
            elif kind == 1:
                amount[i] = surprise[i]
            else:
                amount[i] = 1.0 if (surprise[i] > 0.0) == (kind == 2) else 0.0
        _clear(past_start, past_term, past, by_trait)
        _spread(past_start, past_term, past_weight, past, amount, by_trait)
        _gather(start, term, weight, chosen, by_trait, found[kind])
