"""Compiled expressions: parsed, arranged so that what speaks of items alone is kept, ready to be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from foretaste.domain.arrays import Doubles, Mask
from foretaste.features.expressions.asked import Asked
from foretaste.features.expressions.checking import Known, check_boost, check_condition
from foretaste.features.expressions.columns import Columns
from foretaste.features.expressions.cost import cost_of
from foretaste.features.expressions.errors import ExpressionError
from foretaste.features.expressions.evaluation import Evaluation
from foretaste.features.expressions.kinds import Kind
from foretaste.features.expressions.limits import USUAL, Limits
from foretaste.features.expressions.parsing import Boost, parse, parse_boost
from foretaste.features.expressions.printing import written
from foretaste.features.expressions.shapes import fixed, of_items_alone
from foretaste.features.expressions.tree import Every, Fact, Literal, Name, Node, Some, children, walk
from foretaste.features.expressions.values import Numbers

_COMPILED = 4096
"""So many texts are remembered."""
MOST_BOOST = 100.0
"""No boost adds or takes more than this, in log odds."""


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A part of an expression: its tree, what of it the catalog keeps, and what it asks about."""

    tree: Node
    kept: Mapping[int, str]
    people: frozenset[str]
    attributes: frozenset[str]
    asks_deeds: bool
    of_items_alone: bool

    def condition(self, columns: Columns, asked: Asked) -> Mask:
        """Return where the expression is true, bool; the array may be shared and must not be written to."""
        return Evaluation(columns, asked, self.kept).condition(self.tree)

    def number(self, columns: Columns, asked: Asked) -> Numbers:
        """Return the number that the expression is, one for all or float64, NaN for none; shared as well."""
        return Evaluation(columns, asked, self.kept).number(self.tree)


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """A condition, ready to be asked."""

    text: str
    parts: tuple[Compiled]

    def where(self, columns: Columns, asked: Asked) -> Mask:
        """Return which items match, bool; the array may be shared and must not be written to."""
        return self.parts[0].condition(columns, asked)


@dataclass(frozen=True, slots=True, eq=False)
class Booster:
    """A boost, ready to be asked."""

    text: str
    parts: tuple[Compiled, ...]

    def added(self, columns: Columns, asked: Asked) -> Doubles:
        """Return what is added to the score of each item, in log odds, float64 within ±`MOST_BOOST`.

        A number is added as it is, a factor as its logarithm where its condition is true; nothing where there
        is no number. The array may be shared and must not be written to.
        """
        if columns.rows is not None or not all(part.of_items_alone for part in self.parts):
            return self._added(columns, asked)
        return columns.catalog.kept.get(
            ("added", self.text, columns.length), lambda: self._added(columns, asked), lambda made: [made]
        )

    def _added(self, columns: Columns, asked: Asked) -> Doubles:
        value, *factor = self.parts
        if not factor:
            return np.asarray(np.broadcast_to(_bounded(value.number(columns, asked)), columns.length))
        with np.errstate(all="ignore"):
            odds = np.asarray(factor[0].number(columns, asked))
            lift = _bounded(np.log(np.where(odds > 0.0, odds, 1.0)))
        return np.where(value.condition(columns, asked), lift, 0.0)


def _bounded(numbers: Numbers) -> Doubles:
    """Return finite numbers within ±`MOST_BOOST`, 0 where there is none."""
    bounded = np.array(np.clip(numbers, -MOST_BOOST, MOST_BOOST))
    bounded[np.isnan(bounded)] = 0.0
    return bounded


@lru_cache(_COMPILED)
def compiled_filter(text: str, limits: Limits = USUAL) -> Filter:
    """Return a filter's condition; raise `ExpressionError`."""
    tree = parse(text, limits)
    _require_affordable(text, (tree,), limits)
    return Filter(text, (_compiled(tree),))


@lru_cache(_COMPILED)
def compiled_boost(text: str, limits: Limits = USUAL) -> Booster:
    """Return a boost; raise `ExpressionError`."""
    boost = parse_boost(text, limits)
    trees = (boost.value,) if boost.factor is None else (boost.value, boost.factor)
    _require_affordable(text, trees, limits)
    return Booster(text, tuple(_compiled(tree) for tree in trees))


def checked_filter(text: str, known: Known, limits: Limits = USUAL) -> Filter:
    """Return a filter that makes sense for what is known; raise `ExpressionError`."""
    ready = compiled_filter(text, limits)
    check_condition(ready.parts[0].tree, text, known)
    return ready


def checked_boost(text: str, known: Known, limits: Limits = USUAL) -> Booster:
    """Return a boost that makes sense for what is known; raise `ExpressionError`."""
    ready = compiled_boost(text, limits)
    trees = [part.tree for part in ready.parts]
    check_boost(Boost(trees[0], trees[1] if len(trees) > 1 else None), text, known)
    return ready


def _require_affordable(text: str, trees: tuple[Node, ...], limits: Limits) -> None:
    cost = sum(cost_of(tree) for tree in trees)
    if cost > limits.cost:
        raise ExpressionError(
            f"the expression costs {cost} steps over the catalog, at most {limits.cost} are allowed; make it "
            "shorter, or put what it computes into an attribute",
            text,
            0,
        )


def _compiled(tree: Node) -> Compiled:
    arranged = _arranged(tree)
    nodes = walk(arranged)
    return Compiled(
        tree=arranged,
        kept=_kept(arranged),
        people=frozenset(node.name for node in nodes if isinstance(node, Name) and node.scope == "user"),
        attributes=frozenset(
            node.name
            for node in nodes
            if isinstance(node, Name) and node.scope == "item" and fixed(node) in {None, Kind.TEXT}
        ),
        asks_deeds=any(isinstance(node, Fact) for node in nodes),
        of_items_alone=_alone(arranged),
    )


def _alone(node: Node) -> bool:
    return all(of_items_alone(one) for one in walk(node))


def _arranged(tree: Node) -> Node:
    """Return `tree` with the parts of its outermost `and` or `or` that speak of items alone put together."""
    if not isinstance(tree, Every | Some):
        return tree
    alone = tuple(part for part in tree.parts if _alone(part))
    rest = tuple(part for part in tree.parts if not _alone(part))
    if len(alone) < 2 or not rest:
        return tree
    return replace(tree, parts=(type(tree)(alone, alone[0].at), *rest))


def _kept(node: Node) -> dict[int, str]:
    """Return the text of each largest part that speaks of items alone, by its identity."""
    if isinstance(node, Literal | Name):
        return {}
    if _alone(node):
        return {id(node): written(node)}
    found: dict[int, str] = {}
    for child in children(node):
        found |= _kept(child)
    return found
