"""Values of many rows at once, or one for all rows, and how they are put together."""

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles, Mask
from foretaste.features.expressions.columns import Texts
from foretaste.features.expressions.moments import moment_of, moments_of_texts

_BETWEEN = re.compile(r"[|;,]")
_PARTED = 65_536
Where: TypeAlias = Mask | bool
"""One answer for each row, or one for all."""
Numbers: TypeAlias = Doubles | float
Wording: TypeAlias = Texts | str | None


def arrays(made: Where | Numbers | Wording) -> list[NDArray[Any]]:
    """Return the arrays that a value is made of."""
    if isinstance(made, Texts):
        return [made.code]
    return [made] if isinstance(made, np.ndarray) else []


def plain(found: Any) -> Where:
    """Return an array as it is, and what one comparison gave as a plain truth value."""
    return found if isinstance(found, np.ndarray) else bool(found)


def negated(found: Where) -> Where:
    """Return where something does not hold."""
    return ~found if isinstance(found, np.ndarray) else not found


def both(found: Iterable[Where]) -> Where:
    """Return where all hold; everywhere if there are none."""
    held: Where = True
    for one in found:
        held = _and(held, one)
    return held


def either(found: Iterable[Where]) -> Where:
    """Return where any holds; nowhere if there are none."""
    held: Where = False
    for one in found:
        held = _or(held, one)
    return held


def _and(one: Where, other: Where) -> Where:
    if isinstance(one, bool):
        return other if one else False
    if isinstance(other, bool):
        return one if other else False
    return one & other


def _or(one: Where, other: Where) -> Where:
    if isinstance(one, bool):
        return True if one else other
    if isinstance(other, bool):
        return True if other else one
    return one | other


def lifted(numbers: Numbers) -> Any:
    """Return numbers whose division by zero is no error."""
    return numbers if isinstance(numbers, np.ndarray) else np.float64(numbers)


def given(numbers: Numbers) -> Where:
    """Return where there is a number."""
    return plain(numbers == numbers)  # noqa: PLR0124 - NaN alone is not equal to itself


def finite(numbers: Numbers) -> Numbers:
    """Return numbers with NaN for what is infinite."""
    if not isinstance(numbers, np.ndarray):
        return float(numbers) if math.isfinite(numbers) else math.nan
    finite = np.isfinite(numbers)
    return numbers if finite.all() else np.where(finite, numbers, np.nan)


def chosen(where: Where, yes: Numbers, no: Numbers) -> Numbers:
    """Return the numbers of `yes` where something holds, else those of `no`."""
    if isinstance(where, bool):
        return yes if where else no
    return np.where(where, yes, no)


@lru_cache(_PARTED)
def parts_of(text: str) -> frozenset[str]:
    """Return the values that one text holds, with `|`, `;` or `,` between them."""
    return frozenset(part for part in (piece.strip() for piece in _BETWEEN.split(text)) if part)


def worded_at_all(texts: Wording) -> Where:
    """Return where there is a text."""
    return texts.code >= 0 if isinstance(texts, Texts) else texts is not None


def flagged(texts: Texts, flags: Iterable[bool]) -> Mask:
    """Return the flag of each row's text, `flags` being those of `texts.values`; False for no text."""
    found = np.zeros(len(texts.values) + 1, np.bool_)
    found[:-1] = np.fromiter(flags, np.bool_, len(texts.values))
    return np.asarray(found[texts.code])


def same(one: Wording, other: Wording) -> tuple[Where, Where]:
    """Return where two texts are equal, and where there are both."""
    if one is None or other is None:
        return False, False
    known = both([worded_at_all(one), worded_at_all(other)])
    if isinstance(one, str) and isinstance(other, str):
        return one == other, known
    if isinstance(one, str):
        one, other = other, one
    if isinstance(one, str):
        return False, False
    if isinstance(other, Texts):
        ids: dict[str, int] = {}
        ours = np.array([*(ids.setdefault(value, len(ids)) for value in one.values), -1])
        theirs = np.array([*(ids.setdefault(value, len(ids)) for value in other.values), -2])
        return ours[one.code] == theirs[other.code], known
    if one.index is not None:
        return one.code == one.index.get(str(other), -2), known
    return flagged(one, (value == other for value in one.values)), known


def read_moments(texts: Wording) -> Numbers:
    """Return the moment that each text writes, NaN for none."""
    if not isinstance(texts, Texts):
        return math.nan if texts is None else moment_of(texts)
    moments = np.append(moments_of_texts(texts.values, len(texts.values)), np.nan)
    return np.asarray(moments[texts.code])


def chosen_texts(where: Where, yes: Wording, no: Wording) -> Wording:
    """Return the texts of `yes` where something holds, else those of `no`."""
    if isinstance(where, bool):
        return yes if where else no
    values: list[str] = []
    codes = []
    for texts in (yes, no):
        if isinstance(texts, Texts):
            codes.append(np.where(texts.code >= 0, texts.code + len(values), -1))
            values.extend(texts.values)
        else:
            codes.append(np.full(len(where), -1 if texts is None else len(values)))
            values.extend([] if texts is None else [texts])
    return Texts(values, np.where(where, codes[0], codes[1]).astype(np.int32))
