"""Whether an expression makes sense for this catalog: names that are there, kinds that fit together."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import NoReturn

from foretaste.events.moments import parse_moment
from foretaste.features.expressions.errors import ExpressionError, nearest
from foretaste.features.expressions.functions import FUNCTIONS
from foretaste.features.expressions.kinds import READABLE, Kind, Schema
from foretaste.features.expressions.moments import moment_of
from foretaste.features.expressions.parsing import Boost
from foretaste.features.expressions.shapes import (
    FIELDS,
    ORDERS,
    compared_as,
    equal_as,
    fixed,
    holder,
    operands,
)
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
    children,
)

_LISTED = 12
_NEEDS = {
    Kind.NUMBER: "a number, as 20",
    Kind.TEXT: 'a text, as "red"',
    Kind.TRUTH: "a condition, as price < 20",
    Kind.TIME: 'a time, as now() or time("2024-03-01")',
    Kind.DURATION: "a duration, as 7d",
    Kind.LIST: "a list, as category",
}


_WORDS = {
    Kind.NUMBER: "a number",
    Kind.TEXT: "a text",
    Kind.TRUTH: "true or false",
    Kind.TIME: "a time",
    Kind.DURATION: "a duration",
    Kind.LIST: "a list",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to speak of: attributes of items and of people, and types of events."""

    schema: Schema
    people: Collection[str] = ()
    types: Collection[str] = ()


def check_condition(node: Node, text: str, known: Known) -> None:
    """Raise `ExpressionError` unless `node`, written as `text`, is a condition on what is known."""
    _Check(text, known).wants(node, Kind.TRUTH)


def check_boost(boost: Boost, text: str, known: Known) -> None:
    """Raise `ExpressionError` unless a boost has a number, or a condition with a factor above 0."""
    check = _Check(text, known)
    if boost.factor is None:
        if check.kinds(boost.value) == {Kind.TRUTH}:
            check.wants(boost.value, Kind.TRUTH)
            check.fail("a condition alone is no boost; add by what factor, as on_sale : 1.5", len(text))
        check.wants(boost.value, Kind.NUMBER)
        return
    if Kind.TRUTH not in check.kinds(boost.value):
        check.fail(
            "before the colon stands a condition; a number is a boost by itself, without a factor",
            boost.value.at,
        )
    check.wants(boost.value, Kind.TRUTH)
    check.wants(boost.factor, Kind.NUMBER)
    if isinstance(boost.factor, Literal) and float(boost.factor.value) <= 0.0:
        check.fail("a factor is above 0: 2 doubles the odds, 0.5 halves them", boost.factor.at)


class _Check:
    """Looks at one expression, each node once."""

    def __init__(self, text: str, known: Known) -> None:
        self._text, self._known = text, known

    def fail(self, problem: str, at: int) -> NoReturn:
        """Raise the error at a place."""
        raise ExpressionError(problem, self._text, at)

    def wants(self, node: Node, kind: Kind) -> None:
        """Check `node` and all below it, and that it can be read as `kind`."""
        kinds = self.kinds(node)
        if not self._readable(node, kinds, kind):
            self.fail(f"{self._called(node)} is {_listed(kinds)}; needed is {_NEEDS[kind]}", node.at)
        self._below(node)

    def kinds(self, node: Node) -> frozenset[Kind]:
        """Return the kinds that a node's values have here; raise for a name that is not known."""
        if isinstance(node, Name):
            return self._named(node)
        if isinstance(node, Fact):
            self._fact(node)
        kind = fixed(node)
        if kind is not None:
            return frozenset({kind})
        found: frozenset[Kind] = frozenset()
        for child in children(node)[-2:]:
            found |= self.kinds(child)
        return found & READABLE

    def _named(self, node: Name) -> frozenset[Kind]:
        if node.scope == "context":
            return READABLE
        if node.scope == "user":
            self._near(node.name, self._known.people, "nobody has an attribute called", node.at)
            return READABLE
        if node.name in FIELDS:
            return frozenset({FIELDS[node.name]})
        kinds = self._known.schema.kinds.get(node.name)
        if kinds is None:
            names = {*self._known.schema.kinds, *FIELDS}
            like = nearest(node.name, names)
            listed = sorted(names)[:_LISTED]
            more = ", …" if len(names) > _LISTED else ""
            remedy = f"did you mean {' or '.join(like)}?" if like else f"there are {', '.join(listed)}{more}"
            self.fail(f"no item has an attribute called {node.name!r}; {remedy}", node.at)
        return kinds

    def _near(self, name: str, known: Collection[str], problem: str, at: int) -> None:
        """Refuse a name that is not known but nearly is one that is."""
        if name in known:
            return
        like = nearest(name, known, most=1)
        if like:
            self.fail(f"{problem} {name!r}; did you mean {like[0]}?", at)

    def _fact(self, node: Fact) -> None:
        for name in node.types:
            self._near(name, self._known.types, "no event has the type", node.at)

    def _readable(self, node: Node, kinds: frozenset[Kind], kind: Kind) -> bool:
        if kind is Kind.TIME and isinstance(node, Literal) and node.kind is Kind.TEXT:
            self._moment(node)
            return True
        if kind in kinds:
            return True
        return kind is Kind.TIME and fixed(node) is None and bool(kinds & {Kind.NUMBER, Kind.TEXT})

    def _moment(self, node: Literal) -> None:
        try:
            parse_moment(str(node.value))
        except ValueError as error:
            self.fail(f"this stands where a time is needed, but {error}", node.at)

    def _below(self, node: Node) -> None:  # noqa: C901, PLR0912 - a case for each kind
        match node:
            case Every(parts) | Some(parts):
                self._each(parts, Kind.TRUTH)
            case Not(operand):
                self.wants(operand, Kind.TRUTH)
            case Compare():
                self._compared(node)
            case OneAmong(operand, options):
                for option in options:
                    self._equal(operand, option, "==", option.at)
            case Holds(operand, options):
                self._held(operand)
                self._each(options, Kind.TEXT)
            case Missing(operand):
                self._any(operand)
            case Negative(operand):
                self.wants(operand, Kind.DURATION if fixed(operand) is Kind.DURATION else Kind.NUMBER)
            case Arithmetic(operator, left, right):
                as_left, as_right, _ = operands(operator, fixed(left), fixed(right))
                self.wants(left, as_left)
                self.wants(right, as_right)
            case Choice(condition, yes, no):
                self.wants(condition, Kind.TRUTH)
                self._alike(yes, no)
            case Call("default", (value, instead)):
                self._alike(value, instead)
            case Call("time", (value,)):
                self._time(value)
            case Call(function, arguments):
                takes = FUNCTIONS[function].takes
                for place, argument in enumerate(arguments):
                    kind = takes[min(place, len(takes) - 1)]
                    self._any(argument) if kind is None else self.wants(argument, kind)
            case _:
                pass

    def _each(self, nodes: Collection[Node], kind: Kind) -> None:
        for node in nodes:
            self.wants(node, kind)

    def _any(self, node: Node) -> None:
        self.kinds(node)
        self._below(node)

    def _time(self, value: Node) -> None:
        if not self.kinds(value) & {Kind.NUMBER, Kind.TEXT, Kind.TIME}:
            self.wants(value, Kind.TIME)
        if isinstance(value, Literal) and value.kind is Kind.TEXT:
            self._moment(value)
        self._below(value)

    def _held(self, operand: Node) -> None:
        kinds = self.kinds(operand)
        if not kinds & {Kind.LIST, Kind.TEXT}:
            name = self._called(operand)
            self.fail(
                f"{name} is {_listed(kinds)}, not a list; the choices stand in parentheses, as (1, 2)",
                operand.at,
            )
        self._below(operand)

    def _alike(self, one: Node, other: Node) -> None:
        kind = fixed(one) or fixed(other)
        if kind is None:
            self._any(one)
            self._any(other)
            return
        self.wants(one, kind)
        self.wants(other, kind)

    def _compared(self, node: Compare) -> None:
        if node.operator not in ORDERS:
            self._equal(node.left, node.right, node.operator, node.at)
            return
        (kind,) = compared_as(node)
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if kind is Kind.TIME and self.kinds(other) == {Kind.NUMBER} and not _is_moment(side):
                self._mismatch(node.left, node.right, node.operator, node.at)
            if not self._readable(side, self.kinds(side), kind):
                self._mismatch(node.left, node.right, node.operator, node.at)
            self._below(side)

    def _equal(self, left: Node, right: Node, operator: str, at: int) -> None:
        ours, theirs = self.kinds(left), self.kinds(right)
        fits = any(
            self._readable(left, ours, kind) and self._readable(right, theirs, kind)
            for kind in equal_as(left, right) - {Kind.LIST}
        )
        pair = holder(left, right)
        if not fits and pair is not None:
            fits = Kind.LIST in self.kinds(pair[0]) and Kind.TEXT in self.kinds(pair[1])
        if not fits:
            self._mismatch(left, right, operator, at)
        self._below(left)
        self._below(right)

    def _mismatch(self, left: Node, right: Node, operator: str, at: int) -> NoReturn:
        ours, theirs = self.kinds(left), self.kinds(right)
        remedy = f"compare {self._called(left)} with {_NEEDS[min(ours)]}"
        if operator in ORDERS:
            remedy = "only numbers, times and durations are smaller or larger"
            if ours == theirs == {Kind.TEXT}:
                remedy += "; write time(…) around a text that is a moment"
            elif Kind.NUMBER in ours | theirs:
                other = right if Kind.NUMBER in ours else left
                remedy = f"{self._called(other)} must be {_NEEDS[Kind.NUMBER]}"
        self.fail(
            f"{operator} cannot compare {self._called(left)} ({_listed(ours)}) with "
            f"{self._called(right)} ({_listed(theirs)}); {remedy}",
            at,
        )

    def _called(self, node: Node) -> str:
        match node:
            case Name("item", name):
                return name
            case Name(scope, name):
                return f"{scope}.{name}"
            case Literal(Kind.TEXT, value):
                return f'"{value}"' if len(str(value)) <= _LISTED else f'"{str(value)[:_LISTED]}…"'
            case Literal(Kind.NUMBER, value):
                return f"{value:g}"
            case Call(function, _):
                return f"{function}(…)"
            case _:
                return "this"


def _is_moment(node: Node) -> bool:
    """Return whether `node` is no text, or one that can be read as a moment."""
    return not (
        isinstance(node, Literal) and node.kind is Kind.TEXT and math.isnan(moment_of(str(node.value)))
    )


def _listed(kinds: frozenset[Kind]) -> str:
    return " or ".join(_WORDS[kind] for kind in sorted(kinds)) or "of no kind yet"
