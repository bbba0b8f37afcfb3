"""Reasons: one sentence per item that says what speaks most for it."""

from collections.abc import Sequence

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.models.interface import Model
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
    items = scored.candidates.item[places].tolist()
    models = scored.occasion.plan.models
    return [
        _sentence(item, source, past, models, view)
        for item, source, past in zip(items, strongest, named, strict=True)
    ]


def _strongest(scored: Scored, places: Int64s) -> list[int]:
    """Return the source that lifts each candidate most, n_sources for the boost, -1 if none proposed it."""
    found = np.empty(len(places), np.int64)
    candidates, weight = scored.candidates, scored.occasion.weights[-1]
    _find_strongest(
        candidates.score, candidates.proposed, scored.scale, scored.mean, scored.boost, weight, places, found
    )
    strongest: list[int] = found.tolist()
    return strongest


@kernel
def _find_strongest(
    score: Floats,
    proposed: Ordinals,
    scale: Doubles,
    mean: Doubles,
    boost: Floats,
    weight: float,
    places: Int64s,
    found: Int64s,
) -> None:
    for k in range(len(places)):
        place, most, is_proposed = places[k], -np.inf, False
        found[k] = 0
        for s in range(len(scale)):
            is_proposed |= proposed[s, place] != 0
            lift = scale[s] * (score[s, place] - mean[s])
            if score[s, place] > np.float32(0.0) and lift > most:
                found[k], most = s, lift
        if weight * boost[place] > most:
            found[k] = len(scale)
        if not is_proposed:
            found[k] = -1


def _named_items(scored: Scored, places: Int64s, strongest: Sequence[int]) -> list[int]:
    """Return the past item that contributed most to each candidate's strongest source, -1 for none."""
    occasion, plan = scored.occasion, scored.occasion.plan
    named = [-1] * len(places)
    items = scored.candidates.item[places]
    for source in set(strongest):
        if not 0 <= source < len(plan.models) or not plan.is_told[source]:
            continue
        rows = [row for row, chosen in enumerate(strongest) if chosen == source]
        asked = items if len(rows) == len(items) else items[rows]
        shares = plan.models[source].explain_each(occasion.history, asked, occasion.moment)
        if shares.shape[1]:
            most = shares.argmax(axis=1)
            past = occasion.history.item[most].tolist()
            speaks = (shares[np.arange(len(rows)), most] > 0.0).tolist()
            for row, item, does in zip(rows, past, speaks, strict=True):
                named[row] = item if does else -1
    return named


def _sentence(item: int, source: int, past: int, models: Sequence[Model], view: View) -> str:
    if source < 0:
        return UNPROPOSED
    if source == len(models):
        return f"More {_category(view, item)}, as you looked at lately"
    if past < 0:
        return POPULAR
    kind = models[source].name
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
