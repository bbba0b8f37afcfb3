"""The same question put in another way."""

import msgspec

from foretaste.domain.query import Query
from foretaste.pipeline.scenario import SHIPPED, Scenario

TRENDING = "trending"


def without(query: Query, item_ids: tuple[str, ...]) -> Query:
    """Return the same question, the items left out that were shown elsewhere."""
    return msgspec.structs.replace(query, exclude_ids=(*query.exclude_ids, *item_ids))


def instead(query: Query, scenario: Scenario) -> Query:
    """Return the same question to another scenario."""
    return msgspec.structs.replace(query, scenario=scenario.name)


def for_trending(query: Query) -> Query:
    """Return the question for what is trending, which is asked where a model fails."""
    return msgspec.structs.replace(instead(query, SHIPPED[TRENDING]), model=None, explain=False)
