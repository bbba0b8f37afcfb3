"""From text to tokens."""

import math
import re
from dataclasses import dataclass
from typing import Literal as OneOf

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.features.expressions.errors import ExpressionError

KEYWORDS = frozenset(
    {
        "and",
        "or",
        "not",
        "in",
        "is",
        "missing",
        "within",
        "if",
        "then",
        "else",
        "true",
        "false",
        "any",
        "all",
        "of",
    }
)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
"""Seconds in each unit of a duration."""

LONGEST_DURATION = 100 * 365 * 86_400 * MICROS_PER_SECOND
_NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WORD = re.compile(r"[^\W\d]\w*")
_SPACE = re.compile(r"\s+")
_SIGNS = ("==", "!=", "<=", ">=", "<", ">", "=", "+", "-", "*", "/", "(", ")", "[", "]", ",", ".", ":")
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t", "r": "\r"}
_INSTEAD = {"&&": "and", "||": "or", "<>": "!=", "!": "not", "&": "and", "|": "or", "%": None, "^": None}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text: `value` is a float, a text, a duration in microseconds, a word or a sign."""

    kind: OneOf["number", "text", "duration", "word", "keyword", "sign", "end"]
    value: float | str
    at: int


def tokens(text: str) -> list[Token]:
    """Return the tokens of `text`, the last one being `end`; raise `ExpressionError`."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        if space := _SPACE.match(text, at):
            at = space.end()
            continue
        token, at = _next(text, at)
        found.append(token)
    found.append(Token("end", "", len(text)))
    return found


def _next(text: str, at: int) -> tuple[Token, int]:
    character = text[at]
    if character in "\"'":
        return _quoted(text, at)
    if number := _NUMBER.match(text, at):
        return _number(text, number)
    if word := _WORD.match(text, at):
        written = word.group()
        plain = written.lower()
        if plain in KEYWORDS and written in {plain, written.upper()}:
            return Token("keyword", plain, at), word.end()
        return Token("word", written, at), word.end()
    for wrong, right in _INSTEAD.items():
        if text.startswith(wrong, at) and not text.startswith("!=", at):
            remedy = f"write {right}" if right else "there is no such operation"
            raise ExpressionError(f"{wrong} is not known here; {remedy}", text, at)
    for sign in _SIGNS:
        if text.startswith(sign, at):
            return Token("sign", "==" if sign == "=" else sign, at), at + len(sign)
    raise ExpressionError(
        f'{character!r} means nothing here; texts stand in quotes, odd names of attributes as item["…"]',
        text,
        at,
    )


def _number(text: str, number: re.Match[str]) -> tuple[Token, int]:
    at, end = number.start(), number.end()
    value = float(number.group())
    if math.isinf(value):
        raise ExpressionError("this number is too large", text, at)
    unit = _WORD.match(text, end)
    if unit is None:
        return Token("number", value, at), end
    seconds = UNITS.get(unit.group())
    if seconds is None:
        raise ExpressionError(
            f"{unit.group()!r} is no unit of time; durations are written with s, m, h, d or w, as 30d",
            text,
            end,
        )
    micros = value * seconds * MICROS_PER_SECOND
    if micros > LONGEST_DURATION:
        raise ExpressionError("this duration is longer than 100 years; write a shorter one", text, at)
    return Token("duration", round(micros), at), unit.end()


def _quoted(text: str, start: int) -> tuple[Token, int]:
    quote, at = text[start], start + 1
    pieces: list[str] = []
    while at < len(text) and text[at] != quote:
        if text[at] == "\\":
            piece, at = _escaped(text, at)
        else:
            piece, at = text[at], at + 1
        if piece == "\0" or "\ud800" <= piece <= "\udfff":
            raise ExpressionError(
                "this character cannot be in a text; leave it out", text, min(at, len(text)) - 1
            )
        pieces.append(piece)
    if at >= len(text):
        raise ExpressionError(f"this text never ends; close it with {quote}", text, start)
    return Token("text", "".join(pieces), start), at + 1


def _escaped(text: str, at: int) -> tuple[str, int]:
    letter = text[at + 1 : at + 2]
    if letter in _ESCAPES and letter:
        return _ESCAPES[letter], at + 2
    digits = text[at + 2 : at + 6]
    if letter == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", digits):
        return chr(int(digits, 16)), at + 6
    raise ExpressionError(
        "after \\ in a text comes one of \\ \" ' n t r or u with four hexadecimal digits; write \\\\ for \\",
        text,
        at,
    )
