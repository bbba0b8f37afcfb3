"""From chosen candidates to the places of a slate, as the person sees them."""

from foretaste.domain.arrays import Int64s
from foretaste.domain.query import Query
from foretaste.domain.slate import Evidence, ScoredItem
from foretaste.pipeline.boosting import boosts_of, unboosted
from foretaste.pipeline.explain import evidence
from foretaste.pipeline.reasons import reasons
from foretaste.pipeline.scoring import Scored
from foretaste.pipeline.view import View

_UNEXPLAINED: tuple[tuple[Evidence, ...] | None, float | None] = (None, None)


def places_of(query: Query, view: View, scored: Scored, places: Int64s) -> tuple[ScoredItem, ...]:
    """Return the candidates at `places` with title, match, sources, reason and, if asked for, explanation."""
    candidates = scored.candidates
    match = view.artifact.calibration.match(unboosted(scored)[places]).tolist()
    why = reasons(scored, places, view)
    explained = [_UNEXPLAINED] * len(places)
    if query.explain:
        explained = [*evidence(scored, places, view, query.explain_top_k)]
    proposed = candidates.proposed[:, places].T.tolist()
    items = []
    for row, (ordinal, score) in enumerate(
        zip(candidates.item[places].tolist(), scored.score[places].tolist(), strict=True)
    ):
        item = view.catalog.item(ordinal)
        items.append(
            ScoredItem(
                item_id=view.item_names[ordinal],
                item_idx=ordinal,
                rank=row + 1,
                score=score,
                match=match[row],
                sources=tuple(
                    [name for name, did in zip(candidates.sources, proposed[row], strict=True) if did]
                ),
                reason=why[row],
                propensity=1.0,
                title=item.title if item is not None else "",
                categories=item.categories if item is not None else (),
                metadata=item.attributes if item is not None else {},
                explanation=explained[row][0],
                explained_share=explained[row][1],
                boosts=boosts_of(scored, int(places[row]), query),
            )
        )
    return tuple(items)
