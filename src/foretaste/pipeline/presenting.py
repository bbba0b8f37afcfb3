"""From chosen candidates to the places of a slate, as the person sees them."""

from foretaste.domain.arrays import Int64s
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.domain.slate import Evidence, ScoredItem
from foretaste.pipeline.boosting import boosts_of, unboosted
from foretaste.pipeline.explain import evidence
from foretaste.pipeline.reasons import reasons
from foretaste.pipeline.scoring import Scored
from foretaste.pipeline.timekeeping import EXPLANATION
from foretaste.pipeline.view import View

_UNEXPLAINED: tuple[tuple[Evidence, ...] | None, float | None] = (None, None)
_EMPTY = Item(item_id="-")
"""Stands for an item of which the catalog knows nothing."""


def places_of(query: Query, view: View, scored: Scored, places: Int64s) -> tuple[ScoredItem, ...]:
    """Return the candidates at `places` with title, match, sources, reason and, if asked for, explanation."""
    candidates = scored.candidates
    match = view.artifact.calibration.match(unboosted(scored)[places]).tolist()
    shelf = view.catalog.items
    ordinals: list[int] = candidates.item[places].tolist()
    described = [shelf[ordinal] if ordinal < len(shelf) else None for ordinal in ordinals]
    why, sources = reasons(scored, places, described, view)
    explained = [_UNEXPLAINED] * len(places)
    if query.explain and not view.timekeeper.late(EXPLANATION):
        with view.timed("explain_computation"):
            explained = [*evidence(scored, places, view, query.explain_top_k)]
    names, items = view.item_names, []
    for row, (ordinal, score) in enumerate(zip(ordinals, scored.score[places].tolist(), strict=True)):
        item = described[row] or _EMPTY
        items.append(
            ScoredItem(
                item_id=names[ordinal],
                item_idx=ordinal,
                rank=row + 1,
                score=score,
                match=match[row],
                sources=sources[row],
                reason=why[row],
                propensity=1.0,
                title=item.title,
                categories=item.categories,
                metadata=item.attributes,
                explanation=explained[row][0],
                explained_share=explained[row][1],
                boosts=boosts_of(scored, int(places[row]), query) if query.boost else (),
            )
        )
    return tuple(items)
