"""From tokens to the tree: a recursive descent with one look ahead."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn, TypeVar

from foretaste.events.vocabulary import LONGEST_TYPE, canonical_type
from foretaste.features.expressions.errors import ExpressionError, nearest
from foretaste.features.expressions.functions import DEEDS, DID, EXISTS, FUNCTIONS, TIMES
from foretaste.features.expressions.kinds import Kind
from foretaste.features.expressions.limits import USUAL, Limits
from foretaste.features.expressions.tokens import Token, tokens
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
    Scope,
    Some,
    children,
)

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
SCOPES: Mapping[str, Scope] = MappingProxyType({"item": "item", "user": "user", "context": "context"})
N = TypeVar("N", bound=Node)


@dataclass(frozen=True, slots=True)
class Boost:
    """What a boost says: a number to add, or a condition and the factor of the odds where it is true."""

    value: Node
    factor: Node | None


def parse(text: str, limits: Limits = USUAL) -> Node:
    """Return the tree of an expression; raise `ExpressionError` for anything that is none."""
    parser = _Parser(text, limits)
    return parser.finished(parser.expression())


def parse_boost(text: str, limits: Limits = USUAL) -> Boost:
    """Return what a boost says: `expression` or `condition : factor`; raise `ExpressionError`."""
    parser = _Parser(text, limits)
    value = parser.expression()
    factor = parser.expression() if parser.takes(":") else None
    parser.finished(value)
    return Boost(value, factor)


class _Parser:
    """Reads one text; `_depths` knows how deep each node made so far is, by its identity."""

    def __init__(self, text: str, limits: Limits) -> None:
        self._text, self._limits = text, limits
        if len(text) > limits.length:
            self._fail(
                f"the expression has {len(text)} characters, at most {limits.length} are allowed; shorten it",
                limits.length,
            )
        self._tokens = tokens(text)
        self._place = 0
        self._open = 0
        self._made: list[Node] = []
        self._depths: dict[int, int] = {}

    def finished(self, node: Node) -> Node:
        """Return `node` if nothing is left to read."""
        token = self._tokens[self._place]
        if token.kind != "end":
            self._unexpected(token)
        return node

    def takes(self, sign: str) -> bool:
        """Step over `sign`, if it is next."""
        found = self._is(sign)
        self._place += found
        return found

    def expression(self) -> Node:
        """Read conditions joined by `or`."""
        return self._joined("or", self._conjunction, Some)

    def _conjunction(self) -> Node:
        return self._joined("and", self._negation, Every)

    def _joined(self, word: str, read: Callable[[], Node], kind: type[Every | Some]) -> Node:
        first = read()
        if not self._is(word):
            return first
        parts: list[Node] = [*(first.parts if isinstance(first, kind) else (first,))]
        while self._is(word):
            self._place += 1
            part = read()
            parts.extend(part.parts if isinstance(part, kind) else (part,))
        return self._node(kind(tuple(parts), parts[0].at))

    def _negation(self) -> Node:
        at = self._now.at
        if not self._is("not"):
            return self._comparison()
        self._place += 1
        with_in = self._deeper(self._negation)
        return self._node(Not(with_in, at))

    def _comparison(self) -> Node:
        start = self._now
        if start.kind == "keyword" and start.value in {"any", "all"}:
            return self._quantified()
        left = self._sum()
        token = self._now
        if token.kind == "sign" and token.value in COMPARISONS:
            self._place += 1
            node = self._node(Compare(str(token.value), left, self._sum(), token.at))
            self._refuse_chain()
            return node
        if self._is("is"):
            return self._missing(left)
        if self._is("in"):
            return self._membership(left)
        if self._is("not"):
            self._place += 1
            if not self._is("in"):
                self._fail('after `not` comes `in` here, as in brand not in ("a", "b")', self._now.at)
            return self._node(Not(self._membership(left), token.at))
        return left

    def _refuse_chain(self) -> None:
        token = self._now
        if token.kind == "sign" and token.value in COMPARISONS:
            self._fail("comparisons cannot be chained; write a < b and b < c", token.at)

    def _missing(self, operand: Node) -> Node:
        at = self._now.at
        self._place += 1
        negated = self._is("not")
        self._place += negated
        if not self._is("missing"):
            self._fail("after `is` comes `missing` or `not missing`; to compare write ==", self._now.at)
        self._place += 1
        node = self._node(Missing(operand, at))
        return self._node(Not(node, at)) if negated else node

    def _membership(self, operand: Node) -> Node:
        at = self._now.at
        self._place += 1
        if self._is("("):
            return self._node(OneAmong(operand, self._options(), at))
        return self._node(Holds(self._sum(), (operand,), "any", at))

    def _quantified(self) -> Node:
        token = self._now
        self._place += 1
        self._expect("of", f'after `{token.value}` comes `of`, as in {token.value} of ("a", "b") in tags')
        options = self._options()
        self._expect("in", f'then comes `in` and a list, as in {token.value} of ("a", "b") in tags')
        every = token.value == "all" and len(options) > 1
        return self._node(Holds(self._sum(), options, "all" if every else "any", token.at))

    def _options(self) -> tuple[Node, ...]:
        self._expect("(", 'the choices stand in parentheses, as ("a", "b")')
        if self._is(")"):
            self._fail("there is nothing to choose from; name at least one value", self._now.at)
        options = [self._deeper(self._sum)]
        while self.takes(","):
            options.append(self._deeper(self._sum))
        self._expect(")", "the choices end with `)` or go on with `,`")
        return tuple(options)

    def _sum(self) -> Node:
        return self._operations(("+", "-"), lambda: self._operations(("*", "/"), self._signed))

    def _operations(self, signs: tuple[str, ...], read: Callable[[], Node]) -> Node:
        left = read()
        while self._now.kind == "sign" and self._now.value in signs:
            token = self._now
            self._place += 1
            left = self._node(Arithmetic(str(token.value), left, read(), token.at))
        return left

    def _signed(self) -> Node:
        at = self._now.at
        if not self.takes("-"):
            return self._primary()
        operand = self._deeper(self._signed)
        if isinstance(operand, Literal) and operand.kind in {Kind.NUMBER, Kind.DURATION}:
            return self._node(Literal(operand.kind, -float(operand.value), at))
        return self._node(Negative(operand, at))

    def _primary(self) -> Node:
        token = self._now
        self._place += 1
        literal = _literal(token)
        if literal is not None:
            return self._node(literal)
        match token.kind, token.value:
            case "word", _:
                return self._named(token)
            case "keyword", "if":
                return self._choice(token.at)
            case "sign", "(":
                node = self._deeper(self.expression)
                self._expect(")", "this parenthesis is not closed; add `)`", token.at)
                return node
        self._place -= 1
        return self._unexpected(token)

    def _choice(self, at: int) -> Node:
        condition = self._deeper(self.expression)
        self._expect("then", "after `if` and a condition comes `then`")
        yes = self._deeper(self.expression)
        self._expect("else", "an `if` needs an `else`")
        return self._node(Choice(condition, yes, self._deeper(self.expression), at))

    def _named(self, token: Token) -> Node:
        word = str(token.value)
        if word in SCOPES and (self._is(".") or self._is("[")):
            return self._attribute(word, token.at)
        if word in {"user", "context"}:
            self._fail(f"{word} needs a name, as in {word}.{'age' if word == 'user' else 'device'}", token.at)
        if self._is("("):
            return self._call(word, token.at)
        if word in DEEDS:
            return self._node(Fact("did", (DEEDS[word],), self._within(), token.at))
        return self._node(Name("item", word, token.at))

    def _attribute(self, scope: str, at: int) -> Node:
        bracket = self._is("[")
        self._place += 1
        token = self._now
        wanted = ("text",) if bracket else ("word", "keyword")
        if token.kind not in wanted or not token.value:
            self._fail(f'a name is missing: write {scope}.name or {scope}["any name"]', token.at)
        self._place += 1
        if bracket:
            self._expect("]", "this bracket is not closed; add `]`")
        name = (
            self._text[token.at : token.at + len(str(token.value))]
            if token.kind == "keyword"
            else token.value
        )
        return self._node(Name(SCOPES[scope], str(name), at))

    def _call(self, word: str, at: int) -> Node:
        if word in {DID, TIMES}:
            return self._fact(word, at)
        if word not in FUNCTIONS and word != EXISTS:
            known = [*FUNCTIONS, EXISTS, DID, TIMES]
            like = nearest(word, known)
            remedy = f"did you mean {like[0]}?" if like else f"there are {', '.join(sorted(known))}"
            self._fail(f"no function is called {word}; {remedy}", at)
        self._place += 1
        arguments: list[Node] = []
        while not self._is(")"):
            arguments.append(self._deeper(self.expression))
            if not self.takes(","):
                break
        self._expect(")", "the arguments end with `)` or go on with `,`")
        if word == EXISTS:
            if len(arguments) != 1:
                self._fail("exists takes one argument, as in exists(price)", at)
            return self._node(Not(self._node(Missing(arguments[0], at)), at))
        known_function = FUNCTIONS[word]
        if not len(known_function.takes) <= len(arguments) <= known_function.most:
            self._fail(
                f"{word} is written as {known_function.example}, not with {len(arguments)} arguments", at
            )
        return self._node(Call(word, tuple(arguments), at))

    def _fact(self, word: str, at: int) -> Node:
        self._place += 1
        types: list[str] = []
        while self._now.kind == "text":
            token = self._now
            name = canonical_type(str(token.value)) if len(str(token.value)) <= LONGEST_TYPE else ""
            if not name:
                self._fail(f"a type of event has 1 to {LONGEST_TYPE} characters", token.at)
            types.append(name)
            self._place += 1
            if not self.takes(","):
                break
        self._expect(")", f'types of events stand in quotes, as in {word}("view", "click")')
        chosen = tuple(sorted(set(types)))
        return self._node(Fact("times" if word == TIMES else "did", chosen, self._within(), at))

    def _within(self) -> int | None:
        if not self._is("within"):
            return None
        self._place += 1
        token = self._now
        if token.kind != "duration" or not token.value:
            self._fail("after `within` comes a duration that is not zero, as 30d", token.at)
        self._place += 1
        return int(token.value)

    def _deeper(self, read: Callable[[], Node]) -> Node:
        self._open += 1
        if self._open > self._limits.depth:
            self._too_deep(self._now.at)
        node = read()
        self._open -= 1
        return node

    def _node(self, node: N) -> N:
        depth = 1 + max((self._depths[id(child)] for child in children(node)), default=0)
        self._made.append(node)
        self._depths[id(node)] = depth
        if depth > self._limits.depth:
            self._too_deep(node.at)
        if len(self._made) > self._limits.nodes:
            self._fail(
                f"the expression has more than {self._limits.nodes} values and operations; shorten it",
                node.at,
            )
        return node

    def _too_deep(self, at: int) -> NoReturn:
        self._fail(f"the expression is nested more than {self._limits.depth} deep; make it flatter", at)

    @property
    def _now(self) -> Token:
        return self._tokens[self._place]

    def _is(self, written: str) -> bool:
        token = self._tokens[self._place]
        return token.kind in {"sign", "keyword"} and token.value == written

    def _expect(self, written: str, problem: str, at: int | None = None) -> None:
        if not self.takes(written):
            self._fail(problem, self._now.at if at is None else at)

    def _unexpected(self, token: Token) -> NoReturn:
        if token.kind == "end":
            problem = (
                "the expression ends here, but a value is missing"
                if self._place
                else "the expression is empty"
            )
            self._fail(f"{problem}; write for example price < 20", token.at)
        if token.kind == "sign" and token.value == ":":
            self._fail(
                "a colon stands only in a boost, between its condition and its factor; compare with ==",
                token.at,
            )
        found = self._text[token.at : token.at + 20].split()[0]
        self._fail(
            f"{found!r} does not belong here; join conditions with `and` or `or`, or remove it", token.at
        )

    def _fail(self, problem: str, at: int) -> NoReturn:
        raise ExpressionError(problem, self._text, at)


def _literal(token: Token) -> Literal | None:
    """Return the value that a token writes, None if it is the beginning of something else."""
    match token.kind, token.value:
        case ("number", value):
            return Literal(Kind.NUMBER, value, token.at)
        case ("duration", value):
            return Literal(Kind.DURATION, float(value), token.at)
        case ("text", value):
            return Literal(Kind.TEXT, value, token.at)
        case ("keyword", "true" | "false"):
            return Literal(Kind.TRUTH, token.value == "true", token.at)
        case _:
            return None
