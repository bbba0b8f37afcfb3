"""Filters and boosts of requests: whether they make sense here, and what they ask about the person."""

from collections.abc import Callable, Mapping
from typing import Literal

from foretaste.domain.errors import InvalidQueryError
from foretaste.domain.item import Attribute
from foretaste.domain.query import Query
from foretaste.events.vocabulary import KNOWN_TYPES
from foretaste.features.catalog_columns import CATEGORY
from foretaste.features.expressions.checking import Known
from foretaste.features.expressions.compiled import (
    checked_boost,
    checked_filter,
    compiled_boost,
    compiled_filter,
)
from foretaste.features.expressions.errors import ExpressionError, nearest
from foretaste.features.expressions.limits import USUAL, Limits
from foretaste.pipeline.conditions import parts_of
from foretaste.serving.live import Live

_PASSED = 4096
"""So many expressions are remembered as making sense."""


class Conditions:
    """Checks expressions against what there is now; what passed is not looked at again until that changes."""

    def __init__(self, live: Live, type_names: Callable[[], tuple[str, ...]], limits: Limits = USUAL) -> None:
        self._live = live
        self._type_names = type_names
        self._limits = limits
        self._known = Known(live.catalog_columns.schema)
        self._passed: set[tuple[str, str]] = set()

    def check(self, query: Query) -> None:
        """Raise `ExpressionError` for a filter or boost that cannot be used, naming the parameter.

        Raises `InvalidQueryError` for too many of them.
        """
        rules = query.rules
        if not query.filter and not query.boost and rules is None:
            return
        in_rules = () if rules is None else rules.filters
        if len(query.filter) + len(query.boost) + len(in_rules) > self._limits.count:
            raise InvalidQueryError(
                f"there are {len(query.filter)} filters, {len(query.boost)} boosts and {len(in_rules)} in "
                f"rules, at most {self._limits.count} are allowed together; join some, or add some up",
                field="filter" if query.filter else "boost" if query.boost else "rules",
            )
        self._catch_up()
        for field, text in in_rules:
            self._checked("filter", text, about=field)
        for at, quota in enumerate(() if rules is None else rules.quotas):
            if quota.each is not None:
                self._check_attribute(quota.each, f"rules.quotas[{at}].each")
        for text in query.filter:
            self._checked("filter", text)
        for text in query.boost:
            self._checked("boost", text)

    def require(self, field: Literal["filter", "boost"], text: str) -> None:
        """Raise `ExpressionError` for a filter or boost of a recipe that cannot be used.

        Before there are items nothing is known of their attributes: then any will do.
        """
        if not self._live.catalog_columns.n_items:
            (compiled_filter if field == "filter" else compiled_boost)(text, self._limits)
            return
        self._catch_up()
        self._checked(field, text)

    def told_of_person(self, query: Query) -> dict[str, Attribute]:
        """Return those attributes of the person that the expressions of `query` name and that are known."""
        if not query.filter and not query.boost and query.rules is None:
            return {}
        named = {name for part in parts_of(query) for name in part.people}
        told: Mapping[str, Attribute] = self._live.attributes_of(query.user_id) if named else {}
        return {name: told[name] for name in sorted(named) if name in told}

    def _catch_up(self) -> None:
        schema, people = self._live.catalog_columns.schema, self._live.attribute_names
        types = self._type_names()
        known = self._known
        if (
            schema is known.schema
            and people == known.people
            and len(types) + len(KNOWN_TYPES) == len(known.types)
        ):
            return
        self._known = Known(schema, frozenset(people), (*KNOWN_TYPES, *types))
        self._passed = set()

    def _check_attribute(self, name: str, field: str) -> None:
        """Raise `InvalidQueryError` for what no item has; have its values ready before an answer begins."""
        columns = self._live.catalog_columns
        if name != CATEGORY and name not in columns.attribute_names:
            alike = nearest(name, [CATEGORY, *columns.attribute_names])
            hint = f"did you mean {alike[0]!r}?" if alike else f"there is {CATEGORY!r}, and what items have"
            raise InvalidQueryError(f"{field}: no item has an attribute {name[:80]!r}; {hint}", field=field)
        columns.grouped(name)

    def _checked(self, field: str, text: str, about: str = "") -> None:
        if (field, text) in self._passed:
            return
        try:
            checked = checked_filter if field == "filter" else checked_boost
            parts = checked(text, self._known, self._limits).parts
        except ExpressionError as error:
            raise error.about(about or field) from error
        self._prepare({name for part in parts for name in part.attributes})
        if len(self._passed) >= _PASSED:
            self._passed = set()
        self._passed.add((field, text))

    def _prepare(self, attributes: set[str]) -> None:
        """Have the columns of attributes ready before an answer holds the state's lock."""
        for name in attributes:
            self._live.catalog_columns.typed(name)
