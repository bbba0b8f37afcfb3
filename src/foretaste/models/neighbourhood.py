"""A neighbourhood model for catalogs too large for EASE: scaled co-occurrence, the strongest of each row.

Item i's row holds for item j: n_i^-event Σ_u n_u^-user r_ui r_uj · n_j^-target, where r is a person's
strength for an item and n_i, n_u how much there is of an item and of a person. With exponents (½, 1, ½)
it is one step of the graph filter that GF-CF and Turbo-CF start from; a smaller `target` leaves popular
items some of their lead, and a smaller `user` trusts people with long histories more.
"""

from typing import ClassVar

import msgspec
import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.interactions import Interactions
from foretaste.domain.kernel import kernel
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.grid_walk import walk
from foretaste.models.item_rows import ItemRows
from foretaste.models.item_to_item import LinearConfig, LinearItems, chosen_recency, value_of
from foretaste.models.training_matrix import strengths, with_users_up_to
from foretaste.models.tuning import MIN_QUERIES, best_recency, validation

USUAL_USER, USUAL_TARGET = 0.8, 0.25
STEPS = ((0, 1), (0, -1), (1, 0), (-1, 0))
USER_STEP, TARGET_STEP = 0.25, 0.125
MAX_FITS = 8
MAX_INTERACTIONS = 400_000
ROWS_PER_CALL = 128
"""Rows computed in one kernel call, some milliseconds: other threads run in between."""


class NeighbourhoodConfig(LinearConfig, frozen=True, kw_only=True, tag_field="kind", tag="neighbourhood"):
    """What the neighbourhood model needs to know; what is None is chosen by `fit`.

    `event`, `user` and `target` are the exponents above; `neighbours` are kept per row; `strength_power` see
    `strengths`.
    """

    event: float = 0.5
    user: float | None = None
    target: float | None = None
    neighbours: int = 300
    strength_power: float = 0.5

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "Neighbourhood":  # noqa: ARG002 - learns from interactions only
        """Learn the rows; what the configuration leaves open is chosen on a validation part first."""
        config = self.chosen(interactions, seed)
        return Neighbourhood(config, _rows(strengths(interactions, config.strength_power), config))

    def chosen(self, interactions: Interactions, seed: int) -> "NeighbourhoodConfig":
        """Return this configuration with nothing left open."""
        if self.user is not None and self.target is not None and self.recency is not None:
            return self
        questions = validation(interactions, seed)
        matrix = strengths(with_users_up_to(questions.train, MAX_INTERACTIONS, seed), self.strength_power)
        start = self.recency or best_recency(questions, lambda _: 0.0)
        fixed = (self.user is not None, self.target is not None)
        steps = [step for step in STEPS if not any(f and s for f, s in zip(fixed, step, strict=True))]

        def at(place: tuple[int, ...]) -> "NeighbourhoodConfig":
            user = (USUAL_USER if self.user is None else self.user) + USER_STEP * place[0]
            target = (USUAL_TARGET if self.target is None else self.target) + TARGET_STEP * place[1]
            return msgspec.structs.replace(self, user=user, target=target)

        def value(place: tuple[int, ...]) -> float:
            return value_of(questions, _rows(matrix, at(place)).matrix(), start)

        place: tuple[int, ...] = (0, 0)
        if steps and len(questions) >= MIN_QUERIES:
            place = walk(value, steps, MAX_FITS)
        recency = chosen_recency(questions, _rows(matrix, at(place)).matrix(), self.recency)
        return msgspec.structs.replace(at(place), recency=recency)


class Neighbourhood(LinearItems[NeighbourhoodConfig]):
    """Scaled co-occurrence."""

    name: ClassVar[str] = "neighbourhood"
    config_type = NeighbourhoodConfig


def _rows(matrix: sparse.csr_matrix, config: NeighbourhoodConfig) -> ItemRows:
    by_user = matrix
    by_item = matrix.T.tocsr()
    by_item.sort_indices()
    user = _scales(by_user, USUAL_USER if config.user is None else config.user)
    event = _scales(by_item, config.event)
    target = _scales(by_item, USUAL_TARGET if config.target is None else config.target)
    n_items = matrix.shape[1]
    people = (by_user.indptr.astype(np.int64), by_user.indices, by_user.data)
    items = (by_item.indptr.astype(np.int64), by_item.indices, by_item.data)
    length = np.zeros(n_items, np.int64)
    item: list[Ordinals] = []
    value: list[Floats] = []
    for first in range(0, n_items, ROWS_PER_CALL):
        last = min(first + ROWS_PER_CALL, n_items)
        block_item = np.empty((last - first, config.neighbours), np.int32)
        block_value = np.empty((last - first, config.neighbours), np.float32)
        block = (block_item, block_value, length[first:last])
        _strongest(*items, *people, user, event, target, first, last, *block)
        filled = np.arange(config.neighbours) < length[first:last, np.newaxis]
        item.append(block_item[filled])
        value.append(block_value[filled])
    none = (np.empty(0, np.int32), np.empty(0, np.float32))
    return ItemRows(
        start=np.concatenate(([0], np.cumsum(length))),
        item=np.concatenate([none[0], *item]),
        value=np.concatenate([none[1], *value]),
    )


def _scales(rows: sparse.csr_matrix, exponent: float) -> Floats:
    amount = np.asarray(rows.sum(axis=1), np.float64).ravel()
    return np.where(amount > 0.0, np.maximum(amount, 1e-9) ** -exponent, 0.0).astype(np.float32)


@kernel
def _strongest(
    item_start: Int64s,
    item_user: Ordinals,
    item_strength: Floats,
    user_start: Int64s,
    user_item: Ordinals,
    user_strength: Floats,
    user_scale: Floats,
    event_scale: Floats,
    target_scale: Floats,
    first: int,
    last: int,
    out_item: Ordinals,
    out_value: Floats,
    out_length: Int64s,
) -> None:
    """Write the largest values of rows `first` to before `last`, by rising item; of equals, the lower."""
    n_items = len(item_start) - 1
    most = out_item.shape[1]
    value = np.zeros(n_items, np.float32)
    touched = np.empty(n_items, np.int32)
    for row in range(first, last):
        n = 0
        for place in range(item_start[row], item_start[row + 1]):
            user = item_user[place]
            part = item_strength[place] * user_scale[user] * event_scale[row]
            for other in range(user_start[user], user_start[user + 1]):
                j = user_item[other]
                if value[j] == np.float32(0.0):
                    touched[n] = j
                    n += 1
                value[j] += part * user_strength[other]
        value[row] = np.float32(0.0)
        for t in range(n):
            value[touched[t]] *= target_scale[touched[t]]
        bound = np.float32(0.0)
        spare = most
        if n > most:
            found = value[touched[:n]]
            bound = np.partition(found, n - most)[n - most]
            spare = most - np.sum(found > bound)
        kept = 0
        chosen = np.sort(touched[:n])
        for t in range(n):
            j = chosen[t]
            if value[j] > bound or (value[j] == bound and spare > 0 and bound > np.float32(0.0)):
                if value[j] == bound:
                    spare -= 1
                out_item[row - first, kept] = j
                out_value[row - first, kept] = value[j]
                kept += 1
            value[j] = np.float32(0.0)
        out_length[row - first] = kept
