"""Reasons: one sentence per item that says what speaks most for it."""

from collections.abc import Sequence

import numpy as np

from foretaste.domain.arrays import Int64s
from foretaste.pipeline.explain import item_name
from foretaste.pipeline.model_names import GROUPS
from foretaste.pipeline.scoring import Scored
from foretaste.pipeline.view import View

POPULAR = "Popular right now"
UNPROPOSED = "More that you may like"


def reasons(scored: Scored, places: Int64s, view: View) -> list[str]:
    """Return why each of the candidates at `places` is there: in words, what lifts its score most.

    That is the boost or one of the sources; a past item is named if it contributed most to that very part.
    """
    strongest = _strongest(scored, places)
    named = _named_items(scored, places, strongest)
    return [
        _sentence(scored, int(position), source, past, view)
        for position, source, past in zip(places, strongest, named, strict=True)
    ]


def _strongest(scored: Scored, places: Int64s) -> list[int]:
    """Return the source that lifts each candidate most, n_sources for the boost, -1 if none proposed it."""
    score = scored.candidates.score[:, places]
    lift = np.where(score > 0.0, scored.scale[:, None] * (score - scored.mean[:, None]), -np.inf)
    boost = scored.occasion.weights[-1] * scored.boost[places]
    strongest = np.concatenate((lift, boost[None, :])).argmax(axis=0)
    strongest[~scored.candidates.proposed[:, places].any(axis=0)] = -1
    return list(strongest.tolist())


def _named_items(scored: Scored, places: Int64s, strongest: Sequence[int]) -> list[int]:
    """Return the past item that contributed most to each candidate's strongest source, -1 for none."""
    occasion = scored.occasion
    named = [-1] * len(places)
    for source in {source for source in strongest if 0 <= source < len(occasion.models)}:
        rows = [row for row, chosen in enumerate(strongest) if chosen == source]
        items = scored.candidates.item[places[rows]]
        shares = occasion.models[source].explain_each(occasion.history, items, occasion.moment)
        if shares.shape[1]:
            for row, of_item in zip(rows, shares, strict=True):
                most = int(of_item.argmax())
                if of_item[most] > 0.0:
                    named[row] = int(occasion.history.item[most])
    return named


def _sentence(scored: Scored, position: int, source: int, past: int, view: View) -> str:
    item = int(scored.candidates.item[position])
    if source < 0:
        return UNPROPOSED
    if source == len(scored.occasion.models):
        return f"More {_category(view, item)}, as you looked at lately"
    if past < 0:
        return POPULAR
    kind = scored.occasion.models[source].name
    if kind in GROUPS["content"] and _is_new(view, item) and _category(view, item):
        return f"New in {_category(view, item)}"
    name = item_name(view, past)
    return f"Often follows {name}" if kind == "transitions" else f"Because of {name}"


def _category(view: View, ordinal: int) -> str:
    item = view.catalog.item(ordinal)
    return item.categories[0] if item is not None and item.categories else ""


def _is_new(view: View, ordinal: int) -> bool:
    items = view.state.items
    return ordinal >= items.n_items or items.interactions[ordinal] == 0
