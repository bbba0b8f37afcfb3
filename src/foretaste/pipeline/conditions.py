"""The filters and boosts of a query, asked of the items of a view."""

from collections.abc import Iterator

import numpy as np

from foretaste.domain.arrays import Doubles, Mask, Ordinals
from foretaste.domain.person import NO_HISTORY
from foretaste.domain.query import Query
from foretaste.features.expressions.asked import Asked, nothing_done
from foretaste.features.expressions.columns import Columns
from foretaste.features.expressions.compiled import Compiled, compiled_boost, compiled_filter
from foretaste.features.expressions.limits import WIDEST
from foretaste.pipeline.view import View


def matching(query: Query, view: View, n_items: int) -> Mask | None:
    """Return which items with ordinals below `n_items` match every filter, bool; None where there is none.

    The array may be shared between answers and must not be written to.
    """
    return _matching(query, view, Columns(view.catalog, n_items)) if query.filter else None


def matching_among(query: Query, view: View, items: Ordinals) -> Ordinals:
    """Return those of `items`, in their order, that match every filter."""
    found = _matching(query, view, Columns(view.catalog, len(items), items)) if query.filter else None
    return items if found is None else items[found]


def asked_of(query: Query, view: View) -> Asked:
    """Return what the expressions of `query` may look at beside the catalog."""
    deeds = view.user >= 0 and any(part.asks_deeds for part in parts_of(query))
    return Asked(
        now=query.now,
        person=view.person,
        context=query.context,
        tally=view.state.tally(view.user) if deeds else nothing_done(),
        history=view.state.history(view.user) if deeds else NO_HISTORY,
        type_names=view.type_names,
    )


def parts_of(query: Query) -> Iterator[Compiled]:
    """Return the compiled parts of all expressions of `query`."""
    for text in query.filter:
        yield from compiled_filter(text, WIDEST).parts
    for text in query.boost:
        yield from compiled_boost(text, WIDEST).parts
    if query.rules is not None:
        for _, text in query.rules.filters:
            yield from compiled_filter(text, WIDEST).parts


def added_by_boosts(query: Query, view: View, columns: Columns) -> Doubles:
    """Return what each boost adds to each item, float64 [n_boosts, n_items]."""
    asked = asked_of(query, view)
    return np.array([compiled_boost(text, WIDEST).added(columns, asked) for text in query.boost])


def _matching(query: Query, view: View, columns: Columns) -> Mask | None:
    asked = asked_of(query, view)
    found: Mask | None = None
    for text in query.filter:
        where = compiled_filter(text, WIDEST).where(columns, asked)
        found = where if found is None else found & where
    return found
