"""The boosts of a query: what each adds to the scores of candidates, kept apart from all else."""

import msgspec
import numpy as np

from foretaste.domain.arrays import Floats
from foretaste.domain.query import Query
from foretaste.domain.slate import AddedByBoost
from foretaste.features.expressions.columns import Columns
from foretaste.pipeline.conditions import added_by_boosts
from foretaste.pipeline.scoring import Scored
from foretaste.pipeline.view import View


def boosted(found: Scored, query: Query, view: View) -> Scored:
    """Return `found` with what the query's boosts add, the last thing that changes a score."""
    if not query.boost:
        return found
    items = found.candidates.item
    added = added_by_boosts(query, view, Columns(view.catalog, len(items), items))
    return msgspec.structs.replace(
        found, score=(found.score + added.sum(axis=0)).astype(np.float32), asked=added
    )


def unboosted(found: Scored) -> Floats:
    """Return the scores without what the query's boosts added, float32 [n]."""
    if found.asked is None:
        return found.score
    return np.asarray(np.subtract(found.score, found.asked.sum(axis=0), dtype=np.float32))


def boosts_of(found: Scored, place: int, query: Query) -> tuple[AddedByBoost, ...]:
    """Return the boosts that changed the score of the candidate at `place`, and by how much."""
    if found.asked is None:
        return ()
    return tuple(
        AddedByBoost(boost=text, added=added)
        for text, added in zip(query.boost, found.asked[:, place].tolist(), strict=True)
        if added
    )
