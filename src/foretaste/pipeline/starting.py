"""What scenarios start from beside a whole history, and what else they narrow the catalog to."""

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Mask, Ordinals
from foretaste.domain.history import History
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.pipeline.view import View
from foretaste.ranking.contexts import SESSION_SECONDS, is_in_session

_PAUSE = round(SESSION_SECONDS * MICROS_PER_SECOND)


def present_session(history: History, now: int) -> History:
    """Return the events of the session that is not over at `now` (microseconds), none where there is none."""
    if not is_in_session(history, now):
        return _part(history, len(history))
    pauses = np.flatnonzero(np.diff(history.time) > _PAUSE)
    return _part(history, int(pauses[-1]) + 1) if len(pauses) else history


def _part(history: History, first: int) -> History:
    """Return the events from `first` on, kept with the history that they are a part of."""
    part: History | None = history.memo.get(("from", first))
    if part is None:
        part = history.memo["from", first] = History(
            item=history.item[first:],
            weight=history.weight[first:],
            time=history.time[first:],
            type=history.type[first:],
        )
    return part


def latest_item(history: History) -> tuple[int, ...]:
    """Return the item of the latest event that speaks for its item, nothing where there is none."""
    liked = np.flatnonzero(history.weight > 0.0)
    return (int(history.item[liked[-1]]),) if len(liked) else ()


def narrowed(view: View, usual: Mask) -> Mask:
    """Return what the scenario narrows `usual` to: its newest items, or the query's own; bool [n_items]."""
    mask = np.zeros(len(usual), np.bool_)
    if view.scenario.candidates == "items":
        known = [seed for seed in view.seeds if seed < len(usual)]
        mask[known] = usual[known]
        if not view.scenario.newest:
            return mask
        usual = mask.copy()
        mask[:] = False
    order = by_newness(view.catalog, len(usual))
    mask[order[usual[order]][: view.scenario.newest]] = True
    return mask


def by_newness(catalog: CatalogColumns, n_items: int) -> Ordinals:
    """Return all items, the newest first: by when they became available, then by when they were heard of."""

    def ordered() -> Ordinals:
        since = np.full(n_items, np.iinfo(np.int64).min)
        known = min(n_items, catalog.n_items)
        since[:known] = catalog.available_from[:known]
        return np.lexsort((np.arange(n_items), since))[::-1].astype(np.int32)

    return catalog.kept.get(("by newness", n_items), ordered, lambda order: [order])
