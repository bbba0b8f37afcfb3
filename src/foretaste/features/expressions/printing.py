"""From the tree back to text: `parse(written(node)) == node`."""

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.features.expressions.functions import DEEDS
from foretaste.features.expressions.kinds import Kind
from foretaste.features.expressions.tokens import KEYWORDS, UNITS
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

_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _VALUE = range(8)
"""How tightly each form holds together."""


def written(node: Node) -> str:
    """Return the canonical text of a tree, with as few parentheses as it takes."""
    return _at(node, _OR)


def _at(node: Node, least: int) -> str:
    text, strength = _form(node)
    return text if strength >= least else f"({text})"


def _form(node: Node) -> tuple[str, int]:  # noqa: C901, PLR0911, PLR0912 - a case for each kind
    match node:
        case Some(parts):
            return " or ".join(_at(part, _AND) for part in parts), _OR
        case Every(parts):
            return " and ".join(_at(part, _NOT) for part in parts), _AND
        case Not(operand):
            return f"not {_at(operand, _NOT)}", _NOT
        case Compare(operator, left, right):
            return f"{_at(left, _SUM)} {operator} {_at(right, _SUM)}", _COMPARISON
        case OneAmong(operand, options):
            return f"{_at(operand, _SUM)} in {_options(options)}", _COMPARISON
        case Holds():
            return _holding(node), _COMPARISON
        case Missing(operand):
            return f"{_at(operand, _SUM)} is missing", _COMPARISON
        case Arithmetic(operator, left, right):
            strength = _SUM if operator in "+-" else _PRODUCT
            return f"{_at(left, strength)} {operator} {_at(right, strength + 1)}", strength
        case Negative(operand):
            return f"-{_at(operand, _SIGN)}", _SIGN
        case Choice(condition, yes, no):
            return f"(if {_at(condition, _OR)} then {_at(yes, _OR)} else {_at(no, _OR)})", _VALUE
        case Call(function, arguments):
            return f"{function}({', '.join(_at(one, _OR) for one in arguments)})", _VALUE
        case Fact():
            return _fact(node), _VALUE
        case Name(scope, name):
            return _name(scope, name), _VALUE
        case Literal(kind, value):
            return _literal(kind, value), _VALUE if not _is_negative(kind, value) else _SIGN


def _holding(node: Holds) -> str:
    held = _at(node.operand, _SUM)
    if len(node.options) == 1 and not held.startswith("("):
        return f"{_at(node.options[0], _SUM)} in {held}"
    return f"{node.how} of {_options(node.options)} in {held}"


def _options(options: tuple[Node, ...]) -> str:
    return f"({', '.join(_at(option, _SUM) for option in options)})"


def _fact(node: Fact) -> str:
    if node.what == "did" and len(node.types) == 1 and node.types[0] in _WORDS:
        text = _WORDS[node.types[0]]
    else:
        text = f"{node.what}({', '.join(_quoted(name) for name in node.types)})"
    return text if node.within is None else f"{text} within {_duration(node.within)}"


def _name(scope: str, name: str) -> str:
    plain = name.isidentifier() and name.isascii()
    if (
        scope == "item"
        and plain
        and name not in {*DEEDS, "user", "context", "item"}
        and name.lower() not in KEYWORDS
    ):
        return name
    return f"{scope}.{name}" if plain else f"{scope}[{_quoted(name)}]"


def _literal(kind: Kind, value: float | str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    return _duration(round(value)) if kind is Kind.DURATION else _number(value)


def _is_negative(kind: Kind, value: float | str | bool) -> bool:
    return kind in {Kind.NUMBER, Kind.DURATION} and str(value).startswith("-")


def _number(value: float) -> str:
    text = repr(float(value))
    return text.removesuffix(".0")


def _duration(micros: int) -> str:
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    for unit in ("w", "d", "h", "m", "s"):
        whole, rest = divmod(micros, UNITS[unit] * MICROS_PER_SECOND)
        if not rest and whole:
            return f"{sign}{whole}{unit}"
    seconds, rest = divmod(micros, MICROS_PER_SECOND)
    return f"{sign}{seconds}.{rest:06d}s"


def _quoted(text: str) -> str:
    pieces = (_ESCAPED.get(one) or (one if one.isprintable() else _code(one)) for one in text)
    return f'"{"".join(pieces)}"'


def _code(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else character


_WORDS = {kind: word for word, kind in reversed(list(DEEDS.items()))}
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
