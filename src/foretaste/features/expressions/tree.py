"""The syntax tree: frozen nodes that are equal where they mean the same, wherever they were written.

`at` is the place in the text, from 0; it takes no part in comparisons.
"""

from dataclasses import dataclass, field
from typing import Literal as OneOf
from typing import TypeAlias

from foretaste.features.expressions.kinds import Kind

Scope: TypeAlias = OneOf["item", "user", "context"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as written: a float, a text, True or False, or a duration in whole microseconds."""

    kind: Kind
    value: float | str | bool
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """An attribute of the item or of the person, or a value of the context."""

    scope: Scope
    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Fact:
    """What the person did with the item: whether (`did`) or how often (`times`).

    `types` are canonical names of event types, any of which counts; empty: every type. `within` is a duration
    in microseconds, None for ever.
    """

    what: OneOf["did", "times"]
    types: tuple[str, ...]
    within: int | None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; unknown stays unknown."""

    operand: "Node"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Every:
    """Conditions joined by `and`, at least two, none of them an `Every`."""

    parts: tuple["Node", ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Some:
    """Conditions joined by `or`, at least two, none of them a `Some`."""

    parts: tuple["Node", ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison: `==`, `!=`, `<`, `<=`, `>` or `>=`."""

    operator: str
    left: "Node"
    right: "Node"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class OneAmong:
    """Whether the operand equals one of the options (`x in (a, b)`)."""

    operand: "Node"
    options: tuple["Node", ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Holds:
    """Whether a list holds the options: `how` says all of them or any (`all of ("a", "b") in tags`)."""

    operand: "Node"
    options: tuple["Node", ...]
    how: OneOf["any", "all"]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether there is no value; never unknown itself."""

    operand: "Node"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Negative:
    """A number or duration with the other sign; never of a literal number."""

    operand: "Node"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+`, `-`, `*` or `/`."""

    operator: str
    left: "Node"
    right: "Node"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `functions.FUNCTIONS` with its arguments."""

    function: str
    arguments: tuple["Node", ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """`if condition then yes else no`; no is taken where the condition is unknown, too."""

    condition: "Node"
    yes: "Node"
    no: "Node"
    at: int = field(default=0, compare=False)


Node: TypeAlias = (
    Literal
    | Name
    | Fact
    | Not
    | Every
    | Some
    | Compare
    | OneAmong
    | Holds
    | Missing
    | Negative
    | Arithmetic
    | Call
    | Choice
)


def children(node: Node) -> tuple[Node, ...]:  # noqa: PLR0911 - a case for each kind
    """Return the nodes that `node` is made of, in the order in which they are written."""
    match node:
        case Not(operand) | Missing(operand) | Negative(operand):
            return (operand,)
        case Every(parts) | Some(parts):
            return parts
        case Compare(_, left, right) | Arithmetic(_, left, right):
            return (left, right)
        case OneAmong(operand, options) | Holds(operand, options):
            return (operand, *options)
        case Call(_, arguments):
            return arguments
        case Choice(condition, yes, no):
            return (condition, yes, no)
        case _:
            return ()


def walk(node: Node) -> list[Node]:
    """Return `node` and all nodes below it."""
    found = [node]
    for one in found:
        found.extend(children(one))
    return found
