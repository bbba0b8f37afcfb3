"""The items that a question names, as a view has them."""

from typing import TypedDict

from foretaste.domain.arrays import Ordinals
from foretaste.domain.query import Query
from foretaste.domain.slate_rules import together
from foretaste.pipeline.scenario import Scenario
from foretaste.serving.names import Names


class NamedItems(TypedDict, total=False):
    """Fields of `pipeline.view.View`; those that are absent are as they are by default."""

    excluded: Ordinals
    shown: Ordinals
    named: dict[str, int]


_NONE = NamedItems()


def named_items(query: Query, scenario: Scenario, names: Names) -> NamedItems:
    """Return what the ids in a query, and in its rules and those of its scenario, stand for."""
    excluded = query.exclude_ids
    if query.rules is None and scenario.rules is None and not excluded and not query.shown_ids:
        return _NONE
    found, rules = NamedItems(), together(query.rules, scenario.rules)
    if rules is not None:
        excluded += rules.forbidden
        ordinals = names.ordinals("item", rules.item_ids).tolist() if rules.item_ids else []
        found["named"] = {
            name: ordinal for name, ordinal in zip(rules.item_ids, ordinals, strict=True) if ordinal >= 0
        }
    if excluded:
        found["excluded"] = names.ordinals("item", excluded)
    if query.shown_ids:
        found["shown"] = names.ordinals("item", query.shown_ids)
    return found
