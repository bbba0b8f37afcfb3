"""Arguments of Python callers, as queries have them."""

import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from random import getrandbits
from typing import Any

import msgspec

from foretaste.domain.clock import system_clock
from foretaste.domain.errors import InvalidInputError, InvalidQueryError
from foretaste.domain.slate_rules import SlateRules
from foretaste.events.context import flattened, text_of
from foretaste.events.text import checked_text

MOST_ITEMS = 1000
MOST_QUESTIONS = 1 << 40
LEAST_SEED, LARGEST_SEED = -(1 << 63), (1 << 64) - 1
LARGEST_NUMBER = 1e9
LAST_MOMENT = 253_402_300_799_999_999
"""The end of the year 9999 in microseconds since 1970 UTC."""

NO_CHARACTER = "a text holds a lone surrogate, which is no character; send well-formed Unicode"

_MISSING = re.compile(r"^Object missing required field `(?P<name>.*?)`")
_PLACE = re.compile(r" - at `\$\.?(?P<path>.*)`$")


def new_seed() -> int:
    """Return a seed for one request: it keeps that apart from others, and is no secret."""
    return getrandbits(32)


def within(name: str, value: Any, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`; raise `InvalidQueryError` for anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidQueryError(
            f"{name} must be a whole number from {least} to {most}, not {value!r}", field=name
        )
    return value


def one_of(name: str, value: str, known: Sequence[str]) -> None:
    """Raise `InvalidQueryError` for a value that is none of those `known`."""
    if value not in known:
        raise InvalidQueryError(f"{name} must be one of {', '.join(known)}, not {value!r}", field=name)


def count_or_usual(k: int | None, most: int = MOST_ITEMS) -> int:
    """Return how many items are asked for, 0 for as many as is usual in the scenario."""
    return 0 if k is None else within("k", k, 1, most)


def share(name: str, value: Any) -> float | None:
    """Return a number from 0 to 1, or None; raise `InvalidQueryError` for anything else."""
    if value is not None and not 0.0 <= _number(value) <= 1.0:
        raise InvalidQueryError(f"{name} must be from 0 to 1, not {value!r}", field=name)
    return None if value is None else _number(value)


def number_or_none(name: str, value: Any) -> float | None:
    """Return a finite number, None for none; raise `InvalidQueryError` for anything else."""
    if value is None:
        return None
    number = _number(value)
    if not abs(number) <= LARGEST_NUMBER:
        raise InvalidQueryError(
            f"{name} must be a number within ±{LARGEST_NUMBER:.0e}, or None, not {value!r}", field=name
        )
    return number


def seed_or_new(seed: int | None) -> int:
    """Return the seed of a request, a new one for None; raise `InvalidQueryError` where it cannot be one."""
    return new_seed() if seed is None else within("seed", seed, LEAST_SEED, LARGEST_SEED)


def as_text(name: str, text: Any) -> str:
    """Return one text that can be kept; raise `InvalidQueryError` for anything else."""
    if not isinstance(text, str):
        raise InvalidQueryError(f"{name} must be text, not {text!r}", field=name)
    return well_formed(name, text)


def as_texts(name: str, texts: str | Iterable[str]) -> tuple[str, ...]:
    """Return one text or several; raise `InvalidQueryError` for anything else."""
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        return (as_text(name, texts),)
    return tuple([as_text(name, text) for text in texts])


def as_context(context: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what is known of the moment as texts, on one level, without what is None.

    Raises `InvalidQueryError` for what is neither plain nor an object or list of plain values.
    """
    if context is None:
        return {}
    if not isinstance(context, Mapping):
        raise InvalidQueryError(
            f"context must have names and values, as {{'device': 'phone'}}, not {context!r}", field="context"
        )
    known: dict[str, str] = {}
    for name, value in flattened(context).items():
        if value is None:
            continue
        if not isinstance(name, str) or not isinstance(value, str | int | float):
            raise InvalidQueryError(
                f"context.{name} must be text, a number, true or false, not {value!r}", field="context"
            )
        known[well_formed("a name in context", name)] = well_formed(f"context.{name}", text_of(value))
    return known


def well_formed(name: str, text: str) -> str:
    """Return a text that can be kept; raise `InvalidQueryError` for lone surrogates and NUL."""
    return checked_text(text, name, sys.maxsize, InvalidQueryError)


def id_or_none(name: str, value: str | None) -> str | None:
    """Return an id, None for none; raise `InvalidQueryError` for what is no text, as a number."""
    return None if value is None else as_text(name, value)


def moment_or_now(now: int | None) -> int:
    """Return a moment of asking in microseconds UTC; raise `InvalidQueryError` where that cannot be one."""
    return system_clock() if now is None else within("now", now, 0, LAST_MOMENT)


def as_rules(rules: SlateRules | Mapping[str, Any] | None) -> SlateRules | None:
    """Return rules of a slate; raise `InvalidQueryError` for what is none, naming the field."""
    if rules is None:
        return None
    try:
        given = rules if isinstance(rules, SlateRules) else msgspec.convert(rules, SlateRules)
        msgspec.json.encode(given)
    except msgspec.ValidationError as error:
        raise unreadable(error, "rules") from error
    except UnicodeEncodeError as error:
        raise InvalidQueryError(f"rules: {NO_CHARACTER}", field="rules") from error
    return given


def unreadable(
    error: Exception, root: str = "", kind: type[InvalidInputError] = InvalidQueryError
) -> InvalidInputError:
    """Return what is wrong with given data, and the field in `root` that it is wrong with."""
    said = str(error)
    found, missing = _PLACE.search(said), _MISSING.search(said)
    if found is None and missing is None:
        return kind(f"{root or 'the body'} cannot be read: {said}", field=root or None)
    parts = (root, found["path"] if found else "", missing["name"] if missing else "")
    path = ".".join(part for part in parts if part).replace(".[", "[")
    said = said if found is None else said[: found.start()]
    return kind(f"{path} is missing" if missing else f"{path}: {said}", field=path)


def as_values(values: Any) -> dict[str, tuple[str, ...]]:
    """Return filters as a query has them; one text stands for itself, not for its letters.

    Raises `InvalidQueryError` for names and values that are no text.
    """
    if not isinstance(values, Mapping | None):
        raise InvalidQueryError(
            f"filters must have names and values, as {{'category': ['Drama']}}, not {values!r}",
            field="filters",
        )
    return {
        as_text("the name of a filter", name): as_texts(f"the value of {name}", chosen)
        for name, chosen in (values or {}).items()
    }


def _number(value: Any) -> float:
    """Return a number as a float, NaN for what is none; text and truth values are none."""
    try:
        return math.nan if isinstance(value, str | bytes | bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
