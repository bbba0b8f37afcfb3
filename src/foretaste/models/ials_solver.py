"""The exact least-squares solve of iALS: all rows of a side when fitting, one live row when serving.

A row (a user, say) with the weights c of its m entries, whose fixed vectors are the rows of X (m x dim),
minimizes |C^1/2 (t - X w)|^2 + w'Dw, so that w = (D + X'CX)^-1 X'Ct. A weight may be negative: its size is
then the confidence in the target t = -1, else t = 1. D stands for all unobserved entries and the
regularization; it is diagonal because the fixed side was rotated into the eigenbasis of its Gramian. With
m < dim the matrix inversion lemma makes it an m x m system, else it is solved as it stands.

Rendle, Krichene, Zhang, Koren: "Revisiting the Performance of iALS on Item Recommendation Benchmarks",
RecSys 2022; the regularization that grows with a row's frequency is theirs.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.kernel import fitting_kernel, kernel
from foretaste.domain.parallel import in_parts

ROWS_PER_CALL = 512
"""Rows solved in one kernel call, some milliseconds: the parts that threads share between them."""


def eigenbasis(vectors: Floats) -> tuple[Floats, Floats]:
    """Rotate `vectors` so that their Gramian is diagonal: (rotated vectors, the diagonal), both float32.

    Inner products stay what they are. The diagonal is never negative.
    """
    gramian: Doubles = (vectors.T @ vectors).astype(np.float64)
    values, basis = np.linalg.eigh(gramian)
    rotated = vectors @ basis.astype(np.float32)
    return np.ascontiguousarray(rotated), np.maximum(values, 0.0).astype(np.float32)


def solve_side(
    start: Int64s, index: Ordinals, weight: Floats, fixed: Floats, spectrum: Floats, regularization: Floats
) -> Floats:
    """Return the vectors of all rows, float32 [rows, dim], the other side being `fixed`.

    `start`, `index`, `weight` are the rows' entries (CSR), weights positive; `spectrum` is the diagonal
    of the unobserved entries' part, float32 [dim]; `regularization` is positive, float32 [rows]. A row
    without entries becomes zero.
    """
    start, rows = start.astype(np.int64, copy=False), len(start) - 1
    out = np.zeros((rows, fixed.shape[1]), np.float32)

    def solve(first: int) -> None:
        last = min(first + ROWS_PER_CALL, rows)
        _solve_rows(start, index, weight, fixed, spectrum, regularization, out, first, last)

    for _ in in_parts(solve, range(0, rows, ROWS_PER_CALL)):
        pass
    return out


@dataclass(frozen=True, slots=True, eq=False)
class SolvedRow:
    """One row's `vector`, float32 [dim], and the Cholesky factor of the system that it came from.

    `factor` float32 [n, n], n being the smaller of dim and the number of entries.
    """

    vector: Floats
    factor: Floats


def solve_row(vectors: Floats, weight: Floats, diagonal: Floats) -> SolvedRow:
    """Solve for one row from its entries' fixed vectors, float32 [m, dim], and weights [m].

    `diagonal` is D, positive, float32 [dim]. A weight of zero is as if the entry were not there. No entries
    give zero.
    """
    if not len(weight):
        return SolvedRow(np.zeros(len(diagonal), np.float32), np.zeros((0, 0), np.float32))
    rows, target, scale = _scaled(vectors, weight, diagonal)
    if scale is None:
        factor, vector = _solved(_full(rows, diagonal), target @ rows)
        return SolvedRow(vector, factor)
    factor, part = _solved(_small(rows), target)
    return SolvedRow((part @ rows) * scale, factor)


def shares(vectors: Floats, weight: Floats, diagonal: Floats, factor: Floats, asked: Floats) -> Floats:
    """Return what each entry adds to the inner products of a row's vector with `asked`, float32 [k, m].

    `asked` float32 [k, dim]; `factor` is that of `solve_row` of the same entries. It is exact: with A the
    matrix of the row's system, entry h adds c_h t_h x_h' A^-1 v, and only v is solved for. Where the small
    system S was solved, C^1/2 X A^-1 is S^-1 C^1/2 X D^-1.
    """
    rows, target, scale = _scaled(vectors, weight, diagonal)
    if scale is None:
        known: Floats = (rows @ lapack.spotrs(factor, asked.T)[0]).T
    else:
        known = lapack.spotrs(factor, rows @ (asked * scale).T)[0].T
    added: Floats = known * target
    return added


def _scaled(vectors: Floats, weight: Floats, diagonal: Floats) -> tuple[Floats, Floats, Floats | None]:
    """Return C^1/2 X, times D^-1/2 (returned too) where the small system is the one to solve, and C^1/2 t."""
    root = np.sqrt(np.abs(weight))
    rows: Floats = vectors * root[:, np.newaxis]
    target: Floats = np.copysign(root, weight)
    if len(weight) >= len(diagonal):
        return rows, target, None
    scale: Floats = (1.0 / np.sqrt(diagonal)).astype(np.float32)
    rows *= scale
    return rows, target, scale


def _small(rows: Floats) -> Floats:
    system: Floats = rows @ rows.T
    system.ravel()[:: len(system) + 1] += np.float32(1.0)
    return system


def _full(rows: Floats, diagonal: Floats) -> Floats:
    system: Floats = rows.T @ rows
    system.ravel()[:: len(system) + 1] += diagonal
    return system


def _solved(system: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Return the Cholesky factor of a symmetric positive definite system, and its solution."""
    factor, solution, _ = lapack.sposv(system, right)
    return factor, solution


@fitting_kernel
def _solve_rows(
    start: Int64s,
    index: Ordinals,
    weight: Floats,
    fixed: Floats,
    spectrum: Floats,
    regularization: Floats,
    out: Floats,
    first: int,
    last: int,
) -> None:
    """Write the vectors of rows `first` to before `last` to `out`; the same algebra as `solve_row`."""
    dim = fixed.shape[1]
    diagonal = np.empty(dim, np.float32)
    scale = np.ones(dim, np.float32)
    for row in range(first, last):
        begin = start[row]
        m = start[row + 1] - begin
        if m == 0:
            continue
        small = m < dim
        for k in range(dim):
            diagonal[k] = spectrum[k] + regularization[row]
            scale[k] = np.float32(1.0) / np.sqrt(diagonal[k]) if small else np.float32(1.0)
        rows = np.empty((m, dim), np.float32)
        target = np.empty(m, np.float32)
        for h in range(m):
            root = np.sqrt(weight[begin + h])
            entry = index[begin + h]
            target[h] = root
            for k in range(dim):
                rows[h, k] = fixed[entry, k] * scale[k] * root
        system, right = _normal_equations(rows, target, diagonal)
        lower = np.linalg.cholesky(system)
        _substitute(lower, right)
        if small:
            _combine(rows, right, scale, out[row])
        else:
            for k in range(dim):
                out[row, k] = right[k]


@kernel
def _normal_equations(rows: Floats, target: Floats, diagonal: Floats) -> tuple[Floats, Floats]:
    m, dim = rows.shape
    left = rows if m < dim else rows.T.copy()
    system = np.dot(left, left.T)
    if m < dim:
        for h in range(m):
            system[h, h] += np.float32(1.0)
        return system, target
    for k in range(dim):
        system[k, k] += diagonal[k]
    right = np.zeros(dim, np.float32)
    _combine(rows, target, np.ones(dim, np.float32), right)
    return system, right


@kernel
def _combine(rows: Floats, weight: Floats, scale: Floats, out: Floats) -> None:
    """Write the sum of `rows`, weighted, times `scale` to `out`."""
    out[:] = np.float32(0.0)
    for h in range(rows.shape[0]):
        factor = weight[h]
        for k in range(rows.shape[1]):
            out[k] += factor * rows[h, k]
    for k in range(rows.shape[1]):
        out[k] *= scale[k]


@kernel
def _substitute(lower: Floats, right: Floats) -> None:
    """Replace `right` by the solution of (lower lower') x = right."""
    n = len(right)
    upper = lower.T.copy()
    for k in range(n):
        found = right[k] / upper[k, k]
        right[k] = found
        for j in range(k + 1, n):
            right[j] -= found * upper[k, j]
    for k in range(n - 1, -1, -1):
        found = right[k] / lower[k, k]
        right[k] = found
        for j in range(k):
            right[j] -= found * lower[k, j]
