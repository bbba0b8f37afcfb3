"""The rows of a filtered item graph, block by block, the strongest of each."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.kernel import fitting_kernel, kernel, summing_kernel
from foretaste.domain.parallel import in_parts
from foretaste.models.graph_spectrum import Spectrum, amounts, item_graph, power, spectrum
from foretaste.models.item_rows import ItemRows
from foretaste.models.sorting import mth_largest

ROWS_PER_CALL = 128
"""Rows computed in one kernel call, some milliseconds: the parts that threads share between them."""
REACH = 4
"""So many times what is kept of a row is filtered: the cost is linear in the catalog, not quadratic."""


Rows: TypeAlias = tuple[Int64s, Ordinals, Floats]
"""A sparse matrix for kernels: where rows start, their columns and values."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The numbers of the formula in `graph_filter`, by default the usual ones."""

    event: float = 0.5
    user: float = 0.6
    target: float = 0.125
    sharpness: float = 1.75
    rank: int = 256
    low_pass: float = 0.0

    def lost(self, values: Floats) -> Floats:
        """Return the part of the eigenvalues `values` (falling) of P that the filter takes, in [-1, 0]."""
        share = values / np.maximum(values.max(initial=0.0), np.float32(1e-12))
        part: Floats = np.expm1(-np.float32(self.sharpness) * share)
        return part

    def sides(self, found: Spectrum, amount: Doubles) -> tuple[Floats, Floats]:
        """Return two blocks of rows, one per item, whose products are what is added to P.

        `amount` float64 [items] is how much there is of each item.
        """
        vectors, lost = found.vectors, self.lost(found.values)
        left, right = vectors * (lost * found.values), vectors
        if not self.low_pass:
            return left, right
        loud = power(amount, 0.5)[:, np.newaxis]
        softer = loud * vectors + (vectors * lost) @ (vectors.T @ (loud * vectors))
        quiet = np.float32(self.low_pass) * power(amount, -0.5)[:, np.newaxis] * vectors
        return np.hstack((left, quiet)), np.hstack((right, softer))


def filtered_rows(matrix: sparse.csr_matrix, chosen: Filter, neighbours: int, seed: int) -> ItemRows:
    """Return the strongest `neighbours` of every row of `matrix`, float32 [users, items], filtered."""
    graph = item_graph(matrix, chosen.user)
    found = spectrum(graph, chosen.rank if chosen.sharpness or chosen.low_pass else 0, seed)
    amount = amounts(matrix, axis=0)
    scales = power(amount, 0.5 - chosen.event), power(amount, 0.5 - chosen.target)
    sides = chosen.sides(found, amount)
    by_item, by_user = _arrays(graph.by_item), _arrays(graph.entries)
    n_items = matrix.shape[1]
    length = np.zeros(n_items, np.int64)
    item: list[Ordinals] = [np.empty(0, np.int32)]
    value: list[Floats] = [np.empty(0, np.float32)]

    def rows_from(first: int) -> tuple[Ordinals, Floats]:
        lines = min(ROWS_PER_CALL, n_items - first)
        block = np.empty((lines, neighbours), np.int32), np.empty((lines, neighbours), np.float32)
        _strongest(by_item, by_user, sides, scales, first, REACH * neighbours, block, length[first:])
        filled = np.arange(neighbours) < length[first : first + lines, np.newaxis]
        return block[0][filled], block[1][filled]

    for items, values in in_parts(rows_from, range(0, n_items, ROWS_PER_CALL)):
        item.append(items)
        value.append(values)
    start = np.concatenate(([0], np.cumsum(length)))
    return ItemRows(start=start, item=np.concatenate(item), value=np.concatenate(value))


def _arrays(rows: sparse.csr_matrix) -> Rows:
    return rows.indptr.astype(np.int64), rows.indices.astype(np.int32), rows.data


@fitting_kernel
def _strongest(
    by_item: Rows,
    by_user: Rows,
    sides: tuple[Floats, Floats],
    scales: tuple[Floats, Floats],
    first: int,
    reach: int,
    out: tuple[Ordinals, Floats],
    out_length: Int64s,
) -> None:
    """Write the largest values above 0 of the rows from `first` on, by rising item; of equals, the lower.

    Of every row the `reach` strongest before the filter are filtered.
    """
    left, right = sides
    event_scale, target_scale = scales
    out_item, out_value = out
    value = np.zeros(len(event_scale), np.float32)
    touched = np.empty(len(event_scale), np.int32)
    taken = np.empty(min(reach, len(event_scale)), np.float32)
    for line in range(out_item.shape[0]):
        row = first + line
        n = _go_together(row, by_item, by_user, value, touched)
        value[row] = np.float32(0.0)
        for t in range(n):
            value[touched[t]] *= event_scale[row] * target_scale[touched[t]]
        if right.shape[1]:
            n = _keep_largest(value, touched, n, reach)
            _products(right, touched[:n], left[row], taken)
            for t in range(n):
                j = touched[t]
                filtered = value[j] + taken[t] * event_scale[row] * target_scale[j]
                value[j] = max(filtered, np.float32(0.0)) if j != row else np.float32(0.0)
        n = _keep_largest(value, touched, n, out_item.shape[1])
        kept = 0
        for t in range(n):
            j = touched[t]
            if value[j] > np.float32(0.0):
                out_item[line, kept] = j
                out_value[line, kept] = value[j]
                kept += 1
            value[j] = np.float32(0.0)
        out_length[line] = kept


@summing_kernel
def _products(rows: Floats, places: Ordinals, by: Floats, out: Floats) -> None:
    """Write the inner products of `by` with the rows at `places`: they are read once, where they lie."""
    for t in range(len(places)):
        row = rows[places[t]]
        total = np.float32(0.0)
        for dimension in range(len(by)):
            total += row[dimension] * by[dimension]
        out[t] = total


@kernel
def _keep_largest(value: Floats, places: Ordinals, n: int, most: int) -> int:
    """Leave the `most` places of `places[:n]` with the largest values, rising; return how many.

    Of equals the lower stays. `value` becomes 0 at all other places.
    """
    chosen = np.sort(places[:n])
    if n <= most:
        for k in range(n):
            places[k] = chosen[k]
        return n
    bound = mth_largest(value[chosen], most)
    spare = most - np.sum(value[chosen] > bound)
    kept = 0
    for place in chosen:
        if value[place] > bound or (value[place] == bound and spare > 0):
            if value[place] == bound:
                spare -= 1
            places[kept] = place
            kept += 1
        else:
            value[place] = np.float32(0.0)
    return kept


@kernel
def _go_together(row: int, by_item: Rows, by_user: Rows, value: Floats, touched: Ordinals) -> int:
    """Add row `row` of the graph to `value`, all 0; return how many items, now in `touched`, it reaches."""
    item_start, item_user, item_strength = by_item
    user_start, user_item, user_strength = by_user
    n = 0
    for place in range(item_start[row], item_start[row + 1]):
        user = item_user[place]
        part = item_strength[place]
        for other in range(user_start[user], user_start[user + 1]):
            j = user_item[other]
            if value[j] == np.float32(0.0):
                touched[n] = j
                n += 1
            value[j] += part * user_strength[other]
    return n
