"""The record of an answer."""

from foretaste.domain.item import Attribute
from foretaste.domain.query import Query
from foretaste.domain.slate import Exposure, Slate


def exposure_of(
    slate: Slate,
    *,
    query: Query | None = None,
    circumstances: tuple[str, ...] = (),
    person: dict[str, Attribute] | None = None,
) -> Exposure:
    """Return the record that `slate` was shown, with what it depended on (see `Exposure`)."""
    return Exposure(
        recommendation_id=slate.recommendation_id,
        user_id=slate.user_id,
        scenario=slate.scenario,
        source=slate.source,
        time=slate.generated_at if query is None else query.now,
        made_at=slate.generated_at,
        instead_of=slate.instead_of,
        items=tuple([item.item_idx for item in slate.items]),
        scores=tuple([item.score for item in slate.items]),
        propensities=tuple([item.propensity for item in slate.items]),
        versions=slate.versions,
        query=query,
        circumstances=circumstances,
        person=person or {},
        left_out=slate.left_out,
    )
