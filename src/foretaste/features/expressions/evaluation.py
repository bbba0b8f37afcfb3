"""Evaluation: a tree over columns, all items at a time, in three-valued logic without a third array.

A condition is true, false or unknown. It is asked either where it is true or where it is false; unknown is in
neither answer. `not` asks for the other one, `and` and `or` change places under it, and a comparison with
NaN, which stands for what is missing, holds in neither direction. So each question costs one mask per node.
Kleene, S. C. (1952), Introduction to Metamathematics, § 64.
"""

import math
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from foretaste.domain.arrays import Doubles, Mask
from foretaste.domain.item import Attribute
from foretaste.features.expressions.asked import Asked
from foretaste.features.expressions.columns import Columns, Texts
from foretaste.features.expressions.kinds import PLAIN, Kind
from foretaste.features.expressions.lookups import FEW, counted, done, held, one_of_texts, worded
from foretaste.features.expressions.moments import moment_of, moments_of_numbers
from foretaste.features.expressions.readings import as_moment, as_number, as_text, as_truth
from foretaste.features.expressions.shapes import FIELDS, compared_as, equal_as, fixed, holder, operands
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
from foretaste.features.expressions.values import (
    Numbers,
    Where,
    Wording,
    arrays,
    both,
    chosen,
    chosen_texts,
    either,
    finite,
    given,
    lifted,
    negated,
    parts_of,
    plain,
    read_moments,
    same,
    worded_at_all,
)

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_MICROS_NAMES = frozenset({"available_from", "available_until"})


class Evaluation:
    """One expression's evaluation for one request; `kept` names the nodes whose value the catalog keeps."""

    def __init__(self, columns: Columns, asked: Asked, kept: Mapping[int, str]) -> None:
        self._columns, self._asked = columns, asked
        self._kept = kept if columns.rows is None else {}

    def condition(self, node: Node) -> Mask:
        """Return where `node` is true, bool, one for each row."""
        with np.errstate(all="ignore"):
            return self._spread(self._where(node, wanted=True))

    def number(self, node: Node) -> Numbers:
        """Return the number that `node` is, one for all rows or float64 for each, NaN where there is none."""
        with np.errstate(all="ignore"):
            return self._numbers(node, Kind.NUMBER)

    def _spread(self, found: Where) -> Mask:
        return found if isinstance(found, np.ndarray) else np.full(self._columns.length, found, np.bool_)

    def _where(self, node: Node, *, wanted: bool) -> Where:
        """Return where `node` is true, or false if that is wanted."""
        name = self._kept.get(id(node))
        if name is None:
            return self._where_now(node, wanted=wanted)
        return self._columns.catalog.kept.get(
            ("where", name, wanted, self._columns.length),
            lambda: self._where_now(node, wanted=wanted),
            arrays,
        )

    def _where_now(self, node: Node, *, wanted: bool) -> Where:  # noqa: C901, PLR0911, PLR0912 - a case for each kind
        if fixed(node) not in {None, Kind.TRUTH}:
            return False
        match node:
            case Literal(_, value):
                return isinstance(value, bool) and value is wanted
            case Name():
                return self._truth(node, wanted=wanted)
            case Fact():
                found = done(self._columns, self._asked, node)
                return found if wanted else negated(found)
            case Not(operand):
                return self._where(operand, wanted=not wanted)
            case Every(parts) | Some(parts):
                each = [self._where(part, wanted=wanted) for part in parts]
                return both(each) if isinstance(node, Every) is wanted else either(each)
            case Compare():
                return self._compared(node, wanted=wanted)
            case OneAmong():
                return self._among(node, wanted=wanted)
            case Holds():
                return self._holding(node, wanted=wanted)
            case Missing(operand):
                known = self._known(operand)
                return negated(known) if wanted else known
            case Choice(condition, yes, no):
                taken = self._where(condition, wanted=True)
                first = both([taken, self._where(yes, wanted=wanted)])
                return either([first, both([negated(taken), self._where(no, wanted=wanted)])])
            case Call():
                return self._called(node, wanted=wanted)
            case _:
                return False

    def _truth(self, node: Name, *, wanted: bool) -> Where:
        if node.scope != "item":
            return as_truth(self._told(node)) is wanted
        column = None if node.name in FIELDS else self._columns.truths(node.name)
        return False if column is None else column == int(wanted)

    def _called(self, node: Call, *, wanted: bool) -> Where:
        match node:
            case Call("default", (value, instead)):
                own = self._where(value, wanted=wanted)
                unknown = negated(either([own, self._where(value, wanted=not wanted)]))
                return either([own, both([unknown, self._where(instead, wanted=wanted)])])
            case Call("contains", (text, part)):
                return worded(
                    self._texts(text), self._texts(part), lambda one, other: other in one, wanted=wanted
                )
            case Call("starts_with", (text, part)):
                return worded(
                    self._texts(text),
                    self._texts(part),
                    lambda one, other: one.startswith(other),
                    wanted=wanted,
                )
            case _:
                return False

    def _compared(self, node: Compare, *, wanted: bool) -> Where:
        if node.operator in {"==", "!="}:
            return self._equal(node.left, node.right, wanted=wanted is (node.operator == "=="))
        (kind,) = compared_as(node)
        sign = node.operator if wanted else _OPPOSITE[node.operator]
        return plain(_COMPARE[sign](self._numbers(node.left, kind), self._numbers(node.right, kind)))

    def _equal(self, left: Node, right: Node, *, wanted: bool) -> Where:
        """Return where two sides are equal, or both known, as values of one kind, and not equal."""
        found = [self._equal_as(left, right, kind) for kind in sorted(equal_as(left, right))]
        equal = either([one for one, _ in found])
        return equal if wanted else both([either([known for _, known in found]), negated(equal)])

    def _equal_as(self, left: Node, right: Node, kind: Kind) -> tuple[Where, Where]:
        """Return where two sides are equal as values of a kind, and where both are values of it."""
        match kind:
            case Kind.TEXT:
                return same(self._texts(left), self._texts(right))
            case Kind.LIST:
                pair = holder(left, right)
                return (False, False) if pair is None else held(self._columns, self._texts(pair[1]))
            case Kind.TRUTH:
                yes, no = ([self._where(side, wanted=one) for side in (left, right)] for one in (True, False))
                known = both([either([yes[0], no[0]]), either([yes[1], no[1]])])
                return either([both(yes), both(no)]), known
            case _:
                ours, theirs = self._numbers(left, kind), self._numbers(right, kind)
                return plain(ours == theirs), both([given(ours), given(theirs)])

    def _among(self, node: OneAmong, *, wanted: bool) -> Where:
        operand = node.operand
        of_items = isinstance(operand, Name) and operand.scope == "item"
        grouped = of_items and fixed(operand) is not Kind.TIME
        texts = [str(one.value) for one in node.options if isinstance(one, Literal) and one.kind is Kind.TEXT]
        numbers = [
            float(one.value) for one in node.options if isinstance(one, Literal) and one.kind is Kind.NUMBER
        ]
        at_once = {Kind.TEXT: bool(texts), Kind.NUMBER: bool(numbers)} if grouped else {}
        rest = [one for one in node.options if not (isinstance(one, Literal) and at_once.get(one.kind))]
        found = [self._equal(operand, option, wanted=wanted) for option in rest]
        if isinstance(operand, Name) and at_once.get(Kind.TEXT):
            found.append(one_of_texts(self._columns, operand, texts, wanted=wanted))
        if at_once.get(Kind.NUMBER):
            found.append(self._one_number(operand, numbers, wanted=wanted))
        return either(found) if wanted else both(found)

    def _one_number(self, operand: Node, numbers: list[float], *, wanted: bool) -> Where:
        values = self._numbers(operand, Kind.NUMBER)
        if len(numbers) <= FEW:
            found = either([plain(values == number) for number in numbers])
        else:
            found = plain(np.isin(values, numbers))
        return found if wanted else both([given(values), negated(found)])

    def _holding(self, node: Holds, *, wanted: bool) -> Where:
        found = [self._holds(node.operand, option, wanted=wanted) for option in node.options]
        return either(found) if (node.how == "any") is wanted else both(found)

    def _holds(self, operand: Node, option: Node, *, wanted: bool) -> Where:
        if fixed(operand) is not Kind.LIST:
            return worded(
                self._texts(operand),
                self._texts(option),
                lambda one, other: other in parts_of(one),
                wanted=wanted,
            )
        holds, known = held(self._columns, self._texts(option))
        return holds if wanted else both([known, negated(holds)])

    def _known(self, node: Node) -> Where:
        """Return where `node` has a value."""
        kind = fixed(node)
        if kind is Kind.LIST:
            return self._columns.categorized()
        if isinstance(node, Name) and node.scope != "item":
            return self._told(node) is not None
        return either([self._known_as(node, one) for one in ([kind] if kind else sorted(PLAIN))])

    def _known_as(self, node: Node, kind: Kind) -> Where:
        if kind is Kind.TRUTH:
            return either([self._where(node, wanted=True), self._where(node, wanted=False)])
        if kind is Kind.TEXT:
            return worded_at_all(self._texts(node))
        return given(self._numbers(node, kind))

    def _numbers(self, node: Node, kind: Kind) -> Numbers:
        """Return `node` as numbers, or as times or durations in microseconds; NaN where it is none."""
        name = self._kept.get(id(node))
        if name is None:
            return self._numbers_now(node, kind)
        return self._columns.catalog.kept.get(
            ("numbers", name, kind, self._columns.length), lambda: self._numbers_now(node, kind), arrays
        )

    def _numbers_now(self, node: Node, kind: Kind) -> Numbers:  # noqa: PLR0911 - a case for each kind
        own = fixed(node)
        if own not in {None, kind}:
            return self._moments(node, own) if kind is Kind.TIME else math.nan
        match node:
            case Literal(_, value):
                return float(value)
            case Name():
                return self._named(node, kind)
            case Fact():
                return counted(self._columns, self._asked, node)
            case Negative(operand):
                return -self._numbers(operand, kind)
            case Arithmetic(sign, left, right):
                return self._calculated(sign, left, right)
            case Choice(condition, yes, no):
                return chosen(
                    self._where(condition, wanted=True), self._numbers(yes, kind), self._numbers(no, kind)
                )
            case Call("default", (value, instead)):
                found = self._numbers(value, kind)
                return chosen(given(found), found, self._numbers(instead, kind))
            case Call(function, arguments):
                return self._function(function, arguments)
            case _:
                return math.nan

    def _moments(self, node: Node, own: Kind | None) -> Numbers:
        """Return what is a number or a text as the moment that it writes."""
        if own is Kind.NUMBER:
            numbers = self._numbers(node, own)
            return moments_of_numbers(numbers) if isinstance(numbers, np.ndarray) else moment_of(numbers)
        if own is Kind.TEXT:
            return read_moments(self._texts(node))
        return math.nan

    def _named(self, node: Name, kind: Kind) -> Numbers:
        if node.scope != "item":
            return as_moment(self._told(node)) if kind is Kind.TIME else as_number(self._told(node))
        if kind is Kind.DURATION:
            return math.nan
        if node.name in _MICROS_NAMES:
            return self._columns.available(node.name)
        numbers = self._columns.numbers(node.name)
        if kind is not Kind.TIME:
            return math.nan if numbers is None else numbers
        if self._columns.rows is not None:
            return self._item_moments(node, numbers)
        return self._columns.catalog.kept.get(
            ("moments", node.name, self._columns.length), lambda: self._item_moments(node, numbers), arrays
        )

    def _item_moments(self, node: Name, numbers: Doubles | None) -> Numbers:
        written = read_moments(self._columns.texts(node.name))
        counted = math.nan if numbers is None else moments_of_numbers(numbers)
        return chosen(given(written), written, counted)

    def _calculated(self, sign: str, left: Node, right: Node) -> Numbers:
        as_left, as_right, _ = operands(sign, fixed(left), fixed(right))
        ours, theirs = lifted(self._numbers(left, as_left)), lifted(self._numbers(right, as_right))
        match sign:
            case "+":
                return finite(ours + theirs)
            case "-":
                return finite(ours - theirs)
            case "*":
                return finite(ours * theirs)
            case _:
                return finite(ours / theirs)

    def _function(self, function: str, arguments: tuple[Node, ...]) -> Numbers:
        match function:
            case "now":
                return float(self._asked.now)
            case "time":
                return self._numbers(arguments[0], Kind.TIME)
            case "recency":
                return self._recency(*arguments)
        values = [lifted(self._numbers(one, Kind.NUMBER)) for one in arguments]
        found: Numbers = math.nan
        match function:
            case "min":
                found = reduce(np.minimum, values)
            case "max":
                found = reduce(np.maximum, values)
            case "abs":
                found = np.abs(values[0])
            case "log":
                found = finite(np.log(values[0]))
        return found

    def _recency(self, time: Node, half_life: Node) -> Numbers:
        then, length = (
            lifted(self._numbers(time, Kind.TIME)),
            lifted(self._numbers(half_life, Kind.DURATION)),
        )
        age = np.maximum(self._asked.now - then, 0.0)
        age /= -chosen(plain(length > 0.0), length, math.nan)
        found: Numbers = np.exp2(age, out=age) if isinstance(age, np.ndarray) else np.exp2(age)
        return found

    def _texts(self, node: Node) -> Wording:
        """Return `node` as texts; None where it never is one."""
        name = self._kept.get(id(node))
        if name is None:
            return self._texts_now(node)
        return self._columns.catalog.kept.get(
            ("texts", name, self._columns.length), lambda: self._texts_now(node), arrays
        )

    def _texts_now(self, node: Node) -> Wording:  # noqa: PLR0911 - a case for each kind
        if fixed(node) not in {None, Kind.TEXT}:
            return None
        match node:
            case Literal(_, value):
                return str(value)
            case Name("item", name):
                return self._columns.texts(name)
            case Name():
                return as_text(self._told(node))
            case Call("lower", (text,)):
                found = self._texts(text)
                if isinstance(found, Texts):
                    return Texts([value.lower() for value in found.values], found.code)
                return None if found is None else found.lower()
            case Call("default", (value, instead)):
                found = self._texts(value)
                return chosen_texts(worded_at_all(found), found, self._texts(instead))
            case Choice(condition, yes, no):
                return chosen_texts(self._where(condition, wanted=True), self._texts(yes), self._texts(no))
            case _:
                return None

    def _told(self, node: Name) -> Attribute | None:
        told = self._asked.person if node.scope == "user" else self._asked.context
        return told.get(node.name)
