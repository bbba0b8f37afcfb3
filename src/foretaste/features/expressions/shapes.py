"""What kind of value a node has, as far as its form says: nothing here looks at any data.

An attribute may hold a number for one item and a text for the next. So the form of an expression decides as
what each attribute is read, and a value that cannot be read so is missing.
"""

from collections.abc import Mapping
from types import MappingProxyType

from foretaste.features.expressions.functions import FUNCTIONS
from foretaste.features.expressions.kinds import PLAIN, Kind
from foretaste.features.expressions.tree import (
    Arithmetic,
    Call,
    Choice,
    Compare,
    Fact,
    Literal,
    Name,
    Negative,
    Node,
)

FIELDS: Mapping[str, Kind] = MappingProxyType(
    {
        "item_id": Kind.TEXT,
        "title": Kind.TEXT,
        "category": Kind.LIST,
        "categories": Kind.LIST,
        "available_from": Kind.TIME,
        "available_until": Kind.TIME,
    }
)
"""Fields of items that expressions speak of beside attributes."""

ORDERS = frozenset({"<", "<=", ">", ">="})
N, D, T = Kind.NUMBER, Kind.DURATION, Kind.TIME


def fixed(node: Node) -> Kind | None:  # noqa: PLR0911 - a case for each kind
    """Return the one kind that a node has whatever the data is, None where the data says."""
    match node:
        case Literal(kind, _):
            return kind
        case Name(scope, name):
            return FIELDS.get(name) if scope == "item" else None
        case Fact(what, _, _):
            return Kind.TRUTH if what == "did" else N
        case Negative(operand):
            return D if fixed(operand) is D else N
        case Arithmetic(operator, left, right):
            return operands(operator, fixed(left), fixed(right))[2]
        case Call("default", (value, instead)):
            return fixed(value) or fixed(instead)
        case Call(function, _):
            return FUNCTIONS[function].gives
        case Choice(_, yes, no):
            return fixed(yes) or fixed(no)
        case _:
            return Kind.TRUTH


def readings(node: Node) -> frozenset[Kind]:
    """Return as what a node can be compared."""
    kind = fixed(node)
    return PLAIN if kind is None else frozenset({kind})


def operands(operator: str, left: Kind | None, right: Kind | None) -> tuple[Kind, Kind, Kind]:  # noqa: PLR0911 - a case for each kind
    """Return as what both sides of an operation are read, and the kind of its result."""
    match operator, left, right:
        case ("+", Kind.TIME, _) | ("+", None, Kind.DURATION):
            return T, D, T
        case ("+", _, Kind.TIME) | ("+", Kind.DURATION, None):
            return D, T, T
        case ("-", Kind.TIME | None, Kind.DURATION):
            return T, D, T
        case ("-", Kind.TIME, _) | ("-", _, Kind.TIME):
            return T, T, D
        case ("+" | "-", Kind.DURATION, _) | ("+" | "-", _, Kind.DURATION):
            return D, D, D
        case ("*", Kind.DURATION, _):
            return D, N, D
        case ("*", _, Kind.DURATION):
            return N, D, D
        case ("/", _, Kind.DURATION):
            return D, D, N
        case ("/", Kind.DURATION, _):
            return D, N, D
        case _:
            return N, N, N


def compared_as(node: Compare) -> frozenset[Kind]:
    """Return as what both sides of a comparison are read; it is true where it is for any of them.

    `Kind.LIST` means that one side, as a list, holds the other, as a text.
    """
    left, right = fixed(node.left), fixed(node.right)
    for kind in (T, D):
        if kind in {left, right}:
            return frozenset({kind})
    if node.operator in ORDERS:  # texts have no order, so that one which is written there is a moment
        return frozenset({T if Kind.TEXT in {left, right} else N})
    return equal_as(node.left, node.right)


def equal_as(left: Node, right: Node) -> frozenset[Kind]:
    """Return as what two sides are read that may be equal; see `compared_as`."""
    if T in {fixed(left), fixed(right)}:
        return frozenset({T})
    ours, theirs = readings(left), readings(right)
    lists = {Kind.LIST} if holder(left, right) is not None else set()
    return frozenset((ours & theirs - {Kind.LIST}) | lists)


def holder(left: Node, right: Node) -> tuple[Node, Node] | None:
    """Return the side that is a list and the one that may be a text in it, None where neither fits."""
    for one, other in ((left, right), (right, left)):
        if fixed(one) is Kind.LIST and Kind.TEXT in readings(other):
            return one, other
    return None


def of_items_alone(node: Node) -> bool:
    """Return whether one node, without those below it, says the same for every person at every moment."""
    match node:
        case Name(scope, _):
            return scope == "item"
        case Fact():
            return False
        case Call(function, _):
            return function not in {"now", "recency"}
        case _:
            return True
