"""The rows of a filtered item graph, block by block, the strongest of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.models.graph_spectrum import Spectrum, amounts, item_graph, power, spectrum
from foretaste.models.item_rows import ItemRows

ROWS_PER_CALL = 128
"""Rows computed in one kernel call, some milliseconds: other threads run in between; it bounds memory too."""


Rows: TypeAlias = tuple[Int64s, Ordinals, Floats]
"""A sparse matrix for kernels: where rows start, their columns and values."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The numbers of the formula in `graph_filter`, by default the usual ones."""

    event: float = 0.5
    user: float = 0.8
    target: float = 0.25
    sharpness: float = 1.0
    rank: int = 256

    def softening(self, values: Floats) -> Floats:
        """Return what the filter takes from the eigenvalues `values` (falling) of P, float32, at most 0."""
        share = values / np.maximum(values.max(initial=0.0), np.float32(1e-12))
        taken: Floats = values * np.expm1(-np.float32(self.sharpness) * share)
        return taken


def filtered_rows(matrix: sparse.csr_matrix, chosen: Filter, neighbours: int, seed: int) -> ItemRows:
    """Return the strongest `neighbours` of every row of `matrix`, float32 [users, items], filtered."""
    graph = item_graph(matrix, chosen.user)
    found = spectrum(graph, chosen.rank if chosen.sharpness else 0, seed)
    amount = amounts(matrix, axis=0)
    scales = power(amount, 0.5 - chosen.event), power(amount, 0.5 - chosen.target)
    by_item, by_user = _arrays(graph.by_item), _arrays(graph.entries)
    n_items = matrix.shape[1]
    length = np.zeros(n_items, np.int64)
    item: list[Ordinals] = [np.empty(0, np.int32)]
    value: list[Floats] = [np.empty(0, np.float32)]
    for first, softened in _softened(found, chosen, n_items):
        last = first + len(softened)
        block_item = np.empty((len(softened), neighbours), np.int32)
        block_value = np.empty((len(softened), neighbours), np.float32)
        block = (block_item, block_value, length[first:last])
        _strongest(by_item, by_user, softened, scales, first, block)
        filled = np.arange(neighbours) < length[first:last, np.newaxis]
        item.append(block_item[filled])
        value.append(block_value[filled])
    start = np.concatenate(([0], np.cumsum(length)))
    return ItemRows(start=start, item=np.concatenate(item), value=np.concatenate(value))


def _softened(found: Spectrum, chosen: Filter, n_items: int) -> Iterator[tuple[int, Floats]]:
    """Yield each block's first row, and what the filter takes from its rows, float32 [rows, n_items]."""
    left = found.vectors * chosen.softening(found.values)
    right = np.ascontiguousarray(found.vectors.T)
    for first in range(0, n_items, ROWS_PER_CALL):
        yield first, np.asarray(left[first : first + ROWS_PER_CALL] @ right, np.float32)


def _arrays(rows: sparse.csr_matrix) -> Rows:
    return rows.indptr.astype(np.int64), rows.indices.astype(np.int32), rows.data


@kernel
def _strongest(
    by_item: Rows,
    by_user: Rows,
    softened: Floats,
    scales: tuple[Floats, Floats],
    first: int,
    out: tuple[Ordinals, Floats, Int64s],
) -> None:
    """Write the largest values above 0 of the rows from `first` on, by rising item; of equals, the lower."""
    item_start, item_user, item_strength = by_item
    user_start, user_item, user_strength = by_user
    event_scale, target_scale = scales
    out_item, out_value, out_length = out
    n_items = len(item_start) - 1
    most = out_item.shape[1]
    value = np.zeros(n_items, np.float32)
    touched = np.empty(n_items, np.int32)
    for line in range(softened.shape[0]):
        row = first + line
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
        for t in range(n):
            j = touched[t]
            filtered = (value[j] + softened[line, j]) * event_scale[row] * target_scale[j]
            value[j] = max(filtered, np.float32(0.0)) if j != row else np.float32(0.0)
        bound = np.float32(0.0)
        spare = 0
        if n > most:
            found = value[touched[:n]]
            bound = np.partition(found, n - most)[n - most]
            spare = most - np.sum(found > bound) if bound > np.float32(0.0) else 0
        kept = 0
        chosen = np.sort(touched[:n])
        for t in range(n):
            j = chosen[t]
            if value[j] > bound or (value[j] == bound and spare > 0):
                if value[j] == bound:
                    spare -= 1
                out_item[line, kept] = j
                out_value[line, kept] = value[j]
                kept += 1
            value[j] = np.float32(0.0)
        out_length[line] = kept
