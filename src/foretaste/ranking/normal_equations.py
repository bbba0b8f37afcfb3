"""Ridge regression of few dimensions by Cholesky's factors, without BLAS: the same bits wherever it runs."""

import numpy as np

from foretaste.domain.arrays import Doubles
from foretaste.domain.kernel import kernel


@kernel
def gram_into(rows: Doubles, target: Doubles, lower: Doubles, sums: Doubles) -> None:
    """Add rowsᵀ rows to the lower half of `lower`, and rowsᵀ target to `sums`."""
    for row in range(len(rows)):
        for i in range(rows.shape[1]):
            own = rows[row, i]
            if own != 0.0:
                sums[i] += own * target[row]
                for j in range(i + 1):
                    lower[i, j] += own * rows[row, j]


@kernel
def factor(lower: Doubles) -> None:
    """Replace the lower half of a positive definite matrix by its Cholesky factor."""
    for i in range(len(lower)):
        for j in range(i + 1):
            total = lower[i, j]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            lower[i, j] = np.sqrt(max(total, 1e-12)) if i == j else total / lower[j, j]


@kernel
def substitute(lower: Doubles, solution: Doubles) -> None:
    """Replace `solution`, the right side, by what solves the system of which `lower` is the factor."""
    n = len(lower)
    for i in range(n):
        for k in range(i):
            solution[i] -= lower[i, k] * solution[k]
        solution[i] /= lower[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            solution[i] -= lower[k, i] * solution[k]
        solution[i] /= lower[i, i]


@kernel
def ridge_scores(candidates: Doubles, past: Doubles, target: Doubles, pull: Doubles, found: Doubles) -> None:
    """Set `found` to candidates · (pastᵀ past + pull)⁻¹ pastᵀ target."""
    lower, solution = pull.copy(), np.zeros(len(pull))
    gram_into(past, target, lower, solution)
    factor(lower)
    substitute(lower, solution)
    for row in range(len(found)):
        total = 0.0
        for i in range(len(pull)):
            total += candidates[row, i] * solution[i]
        found[row] = total
