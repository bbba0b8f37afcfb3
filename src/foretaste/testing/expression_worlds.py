"""Strategies: catalogs, requests and trees of the filter language, whether they make sense or not."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from hypothesis import strategies as st

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.history import History
from foretaste.domain.item import Attribute, Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.expressions.asked import Asked
from foretaste.features.expressions.columns import Columns
from foretaste.features.expressions.functions import FUNCTIONS
from foretaste.features.expressions.kinds import Kind
from foretaste.features.expressions.tree import (
    Arithmetic,
    Call,
    Choice,
    Compare,
    Every,
    Fact,
    Holds,
    Literal,
    Missing,
    Name,
    Negative,
    Node,
    Not,
    OneAmong,
    Some,
)
from foretaste.features.state import Tally
from foretaste.testing.expression_oracle import Row

DAY = 86_400 * MICROS_PER_SECOND
NOW = 1_709_900_000 * MICROS_PER_SECOND
Done: TypeAlias = list[tuple[int, int, int]]
"""Events of one person: item, place of the type, time in microseconds; in the order of time."""

TYPES = ("view", "purchase", "pin")
NAMES = ("price", "brand", "on_sale", "published", "odd name", "é")
TEXTS = ("acme", "Zeta", "a", "b", "true", "5", "2024-03-01", "2024-03-07T12:00:00Z", "a, acme|b")
NUMBERS = (-1.0, 0.0, 0.5, 2.0, 5.0, 20.0, 1_709_000_000.0)

values: st.SearchStrategy[Attribute] = st.one_of(
    st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.booleans()
)
moments = st.none() | st.integers(0, 60).map(lambda day: NOW - day * DAY)


def _item(
    number: int,
    title: str,
    categories: list[str],
    attributes: dict[str, Attribute],
    available_from: int | None,
) -> Item:
    return Item(
        item_id=f"item-{number}",
        title=title,
        categories=tuple(dict.fromkeys(categories)),
        attributes=attributes,
        available_from=available_from,
    )


items = st.builds(
    _item,
    st.integers(0, 9),
    st.sampled_from(("", "Zeta", "A lamp")),
    st.lists(st.sampled_from(("a", "b", "acme")), max_size=2),
    st.dictionaries(st.sampled_from(NAMES), values, max_size=4),
    moments,
)
events = st.tuples(st.sampled_from(range(6)), st.sampled_from(range(3)), st.integers(0, 40))


@dataclass(frozen=True)
class World:
    """A catalog and a request, as the evaluator takes them and as the interpreter does."""

    catalog: CatalogColumns
    n_items: int
    asked: Asked
    done: Done

    def columns(self, rows: list[int] | None = None) -> Columns:
        """Return all items, or those of some rows."""
        return Columns(self.catalog, self.n_items, None if rows is None else np.array(rows, np.int32))

    def row(self, ordinal: int) -> Row:
        """Return one item for this request."""
        return Row(
            item=self.catalog.item(ordinal),
            now=self.asked.now,
            person=self.asked.person,
            context=self.asked.context,
            done=[(TYPES[kind], time) for item, kind, time in self.done if item == ordinal],
        )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Return a small catalog, of whose items some may not be there, and a request of somebody."""
    found = draw(st.lists(st.none() | items, max_size=6))
    done = [(item, kind, NOW - days * DAY) for item, kind, days in draw(st.lists(events, max_size=8))]
    done.sort(key=lambda event: event[2])
    return World(
        catalog=CatalogColumns.of(found),
        n_items=len(found) + draw(st.integers(0, 2)),
        asked=Asked(
            now=NOW,
            person=draw(st.dictionaries(st.sampled_from(NAMES), values, max_size=2)),
            context=draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(TEXTS), max_size=2)),
            tally=_tally(done),
            history=_history(done),
            type_names=TYPES,
        ),
        done=done,
    )


def _tally(done: Done) -> Tally:
    pairs = sorted({(item, kind) for item, kind, _ in done})
    times = [[time for item, kind, time in done if (item, kind) == pair] for pair in pairs]
    return Tally(
        item=np.array([item for item, _ in pairs], np.int32),
        type=np.array([kind for _, kind in pairs], np.int16),
        count=np.array([len(own) for own in times], np.int64),
        last=np.array([max(own) for own in times], np.int64),
    )


def _history(done: Done) -> History:
    return History(
        item=np.array([item for item, _, _ in done], np.int32),
        weight=np.ones(len(done), np.float32),
        time=np.array([time for _, _, time in done], np.int64),
        type=np.array([kind for _, kind, _ in done], np.int16),
    )


literals = st.one_of(
    st.builds(Literal, st.just(Kind.NUMBER), st.sampled_from(NUMBERS)),
    st.builds(Literal, st.just(Kind.TEXT), st.sampled_from(TEXTS)),
    st.builds(Literal, st.just(Kind.TRUTH), st.booleans()),
    st.builds(Literal, st.just(Kind.DURATION), st.sampled_from((0.0, 2.0, 1e6, float(7 * DAY), -float(DAY)))),
)
names = st.builds(
    Name,
    st.sampled_from(("item", "user", "context")),
    st.sampled_from((*NAMES, "title", "category", "available_from", "item_id", "and", "purchased", "user")),
)
facts = st.builds(
    Fact,
    st.sampled_from(("did", "times")),
    st.lists(st.sampled_from(TYPES), unique=True, max_size=2).map(lambda types: tuple(sorted(types))),
    st.none() | st.integers(1, 30).map(lambda days: days * DAY),
)


def _negative(operand: Node) -> Node:
    if isinstance(operand, Literal) and operand.kind in {Kind.NUMBER, Kind.DURATION}:
        return Literal(operand.kind, -float(operand.value))
    return Negative(operand)


def _joined(kind: type[Every | Some], parts: list[Node]) -> Node:
    flat = [one for part in parts for one in (part.parts if isinstance(part, kind) else (part,))]
    return kind(tuple(flat))


def _held(operand: Node, options: list[Node], how: str) -> Node:
    return Holds(operand, tuple(options), "all" if how == "all" and len(options) > 1 else "any")


def _grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    some = st.lists(inner, min_size=1, max_size=3)
    calls = [
        st.builds(
            Call,
            st.just(name),
            st.tuples(*[inner] * len(function.takes)),
        )
        for name, function in FUNCTIONS.items()
    ]
    return st.one_of(
        st.builds(Not, inner),
        st.builds(_joined, st.sampled_from((Every, Some)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(Compare, st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), inner, inner),
        st.builds(OneAmong, inner, some.map(tuple)),
        st.builds(_held, names, some, st.sampled_from(("any", "all"))),
        st.builds(_held, inner, some, st.sampled_from(("any", "all"))),
        st.builds(Missing, inner),
        st.builds(_negative, inner),
        st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner),
        st.builds(Choice, inner, inner, inner),
        *calls,
    )


trees: st.SearchStrategy[Node] = st.recursive(literals | names | facts, _grown, max_leaves=8)
"""Trees of any form, whether they make sense or not."""
