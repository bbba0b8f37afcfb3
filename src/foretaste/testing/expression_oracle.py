"""A slow interpreter of the filter language: one item at a time, three truth values, no arrays.

It is written from the reference page of the language rather than from the evaluator, and says what that must.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from foretaste.domain.item import Attribute, Item
from foretaste.events.moments import parse_moment
from foretaste.features.expressions.kinds import Kind
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

Plain = float | str | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One item for one request; `done` has type and time (microseconds) of each event on it."""

    item: Item | None
    now: int
    person: Mapping[str, Attribute] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    done: Sequence[tuple[str, int]] = ()


def truth_of(node: Node, row: Row) -> bool | None:
    """Return whether a condition holds, None where that is unknown."""
    found = _read(node, Kind.TRUTH, row)
    return found if isinstance(found, bool) else None


def number_of(node: Node, row: Row) -> float:
    """Return the number of an expression, NaN where there is none."""
    found = _read(node, Kind.NUMBER, row)
    return float(found) if isinstance(found, float) else math.nan


def _read(node: Node, kind: Kind, row: Row) -> Plain | None:  # noqa: PLR0911 - a case for each kind
    own = fixed(node)
    if own not in {None, kind}:
        convertible = kind is Kind.TIME and own in {Kind.NUMBER, Kind.TEXT}
        return _moment(_read(node, own, row)) if convertible and own is not None else None
    match node:
        case Literal(_, value):
            return value
        case Name():
            return _named(node, kind, row)
        case Fact(what, types, within):
            times = [
                1
                for name, time in row.done
                if (not types or name in types) and (within is None or time >= row.now - within)
            ]
            return float(len(times)) if what == "times" else bool(times)
        case Negative(operand):
            found = _read(operand, kind, row)
            return -found if isinstance(found, float) else None
        case Arithmetic():
            return _calculated(node, row)
        case Choice(condition, yes, no):
            return _read(yes if truth_of(condition, row) is True else no, kind, row)
        case Call("default", (value, instead)):
            found = _read(value, kind, row)
            return _read(instead, kind, row) if found is None else found
        case Call():
            return _called(node, row)
        case _:
            return _condition(node, row)


def _condition(node: Node, row: Row) -> bool | None:  # noqa: PLR0911 - a case for each kind
    match node:
        case Not(operand):
            found = truth_of(operand, row)
            return None if found is None else not found
        case Every(parts):
            return _every([truth_of(part, row) for part in parts])
        case Some(parts):
            return _some([truth_of(part, row) for part in parts])
        case Compare("==" | "!=", left, right):
            equal = _equal(left, right, row)
            return equal if equal is None or node.operator == "==" else not equal
        case Compare(operator, left, right):
            (kind,) = compared_as(node)
            one, other = _read(left, kind, row), _read(right, kind, row)
            if not isinstance(one, float) or not isinstance(other, float):
                return None
            return {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[operator]
        case OneAmong(operand, options):
            return _some([_equal(operand, option, row) for option in options])
        case Holds(operand, options, how):
            held = [_holds(operand, option, row) for option in options]
            return _some(held) if how == "any" else _every(held)
        case Missing(operand):
            return all(_read(operand, kind, row) is None for kind in Kind)
        case _:
            return None


def _every(found: Sequence[bool | None]) -> bool | None:
    if False in found:
        return False
    return None if None in found else True


def _some(found: Sequence[bool | None]) -> bool | None:
    if True in found:
        return True
    return None if None in found else False


def _equal(left: Node, right: Node, row: Row) -> bool | None:
    answers: list[bool] = []
    for kind in equal_as(left, right):
        pair = holder(left, right)
        if kind is Kind.LIST and pair is not None:
            held = _holds(pair[0], pair[1], row)
            answers.extend([] if held is None else [held])
        elif kind is not Kind.LIST:
            one, other = _read(left, kind, row), _read(right, kind, row)
            answers.extend([] if one is None or other is None else [one == other])
    return any(answers) if answers else None


def _holds(lists: Node, text: Node, row: Row) -> bool | None:
    wanted = _read(text, Kind.TEXT, row)
    held = _read(lists, Kind.LIST if fixed(lists) is Kind.LIST else Kind.TEXT, row)
    if isinstance(held, str):
        held = tuple(
            part.strip() for part in held.replace(";", ",").replace("|", ",").split(",") if part.strip()
        )
    return wanted in held if isinstance(held, tuple) and isinstance(wanted, str) else None


def _named(node: Name, kind: Kind, row: Row) -> Plain | None:
    if node.scope == "item":
        return _of_item(node.name, kind, row.item)
    value = (row.person if node.scope == "user" else row.context).get(node.name)
    if isinstance(value, str) and kind is Kind.TRUTH:
        return {"true": True, "false": False}.get(value.strip().lower())
    if isinstance(value, str) and kind is Kind.NUMBER:
        return _float(value)
    return _as(value, kind)


def _of_item(name: str, kind: Kind, item: Item | None) -> Plain | None:
    if item is None:
        return None
    if name in FIELDS:
        fields: dict[str, Plain | None] = {
            "item_id": item.item_id,
            "title": item.title or None,
            "category": item.categories or None,
            "categories": item.categories or None,
            "available_from": _float(item.available_from),
            "available_until": _float(item.available_until),
        }
        return fields[name]
    return _as(item.attributes.get(name), kind)


def _as(value: Attribute | None, kind: Kind) -> Plain | None:
    if isinstance(value, bool):
        return value if kind is Kind.TRUTH else None
    if kind is Kind.TIME:
        return _moment(value)
    if isinstance(value, str):
        return value if kind is Kind.TEXT else None
    return float(value) if value is not None and kind is Kind.NUMBER else None


def _moment(value: Plain | None) -> float | None:
    if value is None or isinstance(value, bool | tuple):
        return None
    try:
        return float(parse_moment(value))
    except (ValueError, OverflowError):
        return None


def _float(value: str | float | None) -> float | None:
    try:
        number = float(value) if value is not None and "_" not in str(value) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _calculated(node: Arithmetic, row: Row) -> float | None:
    as_left, as_right, _ = operands(node.operator, fixed(node.left), fixed(node.right))
    left, right = _read(node.left, as_left, row), _read(node.right, as_right, row)
    if not isinstance(left, float) or not isinstance(right, float):
        return None
    if node.operator == "/":
        return _float(left / right) if right else None
    results = {"+": left + right, "-": left - right, "*": left * right}
    return _float(results[node.operator])


def _called(node: Call, row: Row) -> Plain | None:
    match node:
        case Call("now"):
            return float(row.now)
        case Call("time", (value,)):
            return _read(value, Kind.TIME, row)
        case Call("recency", (time, half_life)):
            then, length = _read(time, Kind.TIME, row), _read(half_life, Kind.DURATION, row)
            if not isinstance(then, float) or not isinstance(length, float) or length <= 0.0:
                return None
            return float(2.0 ** -(max(row.now - then, 0.0) / length))
        case Call("lower" | "contains" | "starts_with", arguments):
            texts = [_read(argument, Kind.TEXT, row) for argument in arguments]
            return _worded(node.function, [text for text in texts if isinstance(text, str)], len(texts))
        case Call(function, arguments):
            numbers = [_read(argument, Kind.NUMBER, row) for argument in arguments]
            return _counted(
                function, [number for number in numbers if isinstance(number, float)], len(numbers)
            )


def _worded(function: str, texts: Sequence[str], wanted: int) -> Plain | None:
    if len(texts) < wanted:
        return None
    if function == "lower":
        return texts[0].lower()
    return texts[1] in texts[0] if function == "contains" else texts[0].startswith(texts[1])


def _counted(function: str, numbers: Sequence[float], wanted: int) -> float | None:
    if len(numbers) < wanted:
        return None
    if function == "log":
        return math.log(numbers[0]) if numbers[0] > 0.0 else None
    return abs(numbers[0]) if function == "abs" else min(numbers) if function == "min" else max(numbers)
