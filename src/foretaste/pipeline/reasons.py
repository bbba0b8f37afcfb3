"""Reasons: one sentence per item that says what speaks most for it."""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.item import Item
from foretaste.domain.kernel import kernel
from foretaste.models.changes import Changes, edition_of, meet
from foretaste.models.foremost import foremost
from foretaste.models.interface import Model, Moment
from foretaste.models.live_model import Told, basis_of
from foretaste.pipeline.explain import NEGLIGIBLE, item_name
from foretaste.pipeline.model_names import GROUPS
from foretaste.pipeline.scoring import Scored
from foretaste.pipeline.timekeeping import REASONS
from foretaste.pipeline.view import View

POPULAR = "Popular right now"
AGAIN = "You had it before"
UNPROPOSED = "More that you may like"
_TOLD, _MOST_TOLD = "past items that speak most", 256


def reasons(
    scored: Scored, places: Int64s, described: list[Item | None], view: View
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return why each of the candidates at `places` is there, and the sources that proposed it.

    `described` are the candidates as the catalog has them. Why is said in words: what lifts its score most,
    the boost or one of the sources; a past item is named if it contributed most to that very part.
    """
    candidates, occasion = scored.candidates, scored.occasion
    found = np.empty((3, len(places)), np.int64)
    _find_strongest(
        candidates.item,
        candidates.score,
        candidates.proposed,
        scored.scale,
        scored.mean,
        scored.boost,
        occasion.weights[-1],
        places,
        found,
    )
    items, strongest, by = found.tolist()
    if view.timekeeper.late(REASONS):
        return [UNPROPOSED] * len(items), [occasion.plan.named[bits] for bits in by]
    past = _past_items(scored, items, strongest)
    models, named = occasion.plan.models, occasion.plan.named
    boost, said = len(models), []
    for item, about, source, named_item in zip(items, described, strongest, past, strict=True):
        if source == boost:
            said.append(f"More {_category(about)}, as you looked at lately")
        elif named_item < 0:
            said.append(UNPROPOSED if source < 0 else POPULAR)
        else:
            said.append(_because(models[source].name, item, about, named_item, view))
    return said, [named[bits] for bits in by]


@kernel
def _find_strongest(
    item: Ordinals,
    score: Floats,
    proposed: Ordinals,
    scale: Doubles,
    mean: Doubles,
    boost: Floats,
    weight: float,
    places: Int64s,
    found: Int64s,
) -> None:
    """Write for each place its item, the source that lifts it most, and a bit for each that proposed it.

    Instead of a source it is n_sources for the boost, and -1 where none proposed the item or says anything.
    What rounding leaves of a source that has nothing to say of an item is no reason. A source that says the
    same of all that it proposed has no scale; its scores count as they are.
    """
    for k in range(len(places)):
        place, most, by, strongest = places[k], -np.inf, 0, -1
        for s in range(len(scale)):
            if proposed[s, place]:
                by |= 1 << s
            lift = scale[s] * (score[s, place] - mean[s])
            said = (scale[s] if scale[s] > 0.0 else 1.0) * score[s, place]
            if said > NEGLIGIBLE and lift > most:
                strongest, most = s, lift
        if boost[place] > np.float32(0.0) and weight * boost[place] > most:
            strongest = len(scale)
        found[0, k], found[1, k], found[2, k] = item[place], strongest if by else -1, by


def _past_items(scored: Scored, items: list[int], strongest: list[int]) -> list[int]:
    """Return the past item that contributed most to each item's strongest source, -1 for none."""
    occasion, plan = scored.occasion, scored.occasion.plan
    rows_of: dict[int, list[int]] = {}
    for row, source in enumerate(strongest):
        if 0 <= source < len(plan.models) and plan.is_told[source]:
            rows_of.setdefault(source, []).append(row)
    past = [-1] * len(items)
    for source, rows in rows_of.items():
        asked = [items[row] for row in rows]
        told = _told_by(plan.models[source], occasion.history, occasion.moment, asked)
        for row, item in zip(rows, told, strict=True):
            past[row] = item
    return past


@dataclass(slots=True, eq=False)
class _Told:
    """Which past item speaks most for others, -1 for none; it holds for this basis, in this edition."""

    basis: object
    edition: int
    by_item: dict[int, int]

    def follows(self, history: History) -> bool:
        """Let go of what the basis has changed since; return False where all must be told anew."""
        basis = self.basis
        if isinstance(basis, Changes) and basis.edition != self.edition:
            changed = basis.since(self.edition)
            if changed is None or meet(history.item, changed):
                return False
            for item in changed.tolist():
                self.by_item.pop(item, None)
            self.edition = basis.edition
        return True


def _told_by(model: Model, history: History, moment: Moment, items: list[int]) -> list[int]:
    """Return the past item that speaks most for each of `items`, -1 for none; kept with the history."""
    basis = basis_of(model, history, moment)
    known = {} if basis is None else _told_before(model, history, basis)
    missing = [item for item in items if item not in known]
    if missing:
        past = foremost(model, history, np.array(missing, np.int32), moment)
        known.update(zip(missing, past.tolist(), strict=True))
    return [known[item] for item in items]


def _told_before(model: Model, history: History, basis: object) -> dict[int, int]:
    """Return what was told of items while it holds: with what a sparse model said, or with the history."""
    if isinstance(basis, Told):
        by_item: dict[int, int] = basis.kept.setdefault(_TOLD, {})
        return by_item
    kept: _Told | None = history.memo.get((_TOLD, model))
    if kept is None or kept.basis is not basis or not kept.follows(history) or len(kept.by_item) > _MOST_TOLD:
        kept = history.memo[_TOLD, model] = _Told(basis, edition_of(basis), {})
    return kept.by_item


def _because(kind: str, item: int, about: Item | None, past: int, view: View) -> str:
    """Return what a model of this kind says of an item for which a `past` one speaks."""
    if past == item:
        return AGAIN
    if kind in GROUPS["content"] and _is_new(view, item) and _category(about):
        return f"New in {_category(about)}"
    name = item_name(view, past)
    return f"Often follows {name}" if kind == "transitions" else f"Because of {name}"


def _category(item: Item | None) -> str:
    return item.categories[0] if item is not None and item.categories else ""


def _is_new(view: View, ordinal: int) -> bool:
    items = view.state.items
    return ordinal >= items.n_items or items.interactions[ordinal] == 0
