"""One value of a person or of the context, read as each kind; what it cannot be read as is missing."""

import math
import re

from foretaste.domain.item import Attribute
from foretaste.features.expressions.moments import moment_of

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TRUTHS = {"true": True, "false": False}


def as_number(value: Attribute | None) -> float:
    """Return a number, or a text that is one; NaN for anything else."""
    if value is None or isinstance(value, bool):
        return math.nan
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value.strip()) else math.nan
    return float(value) if math.isfinite(value) else math.nan


def as_moment(value: Attribute | None) -> float:
    """Return a moment in microseconds; NaN for what is none."""
    return math.nan if value is None or isinstance(value, bool) else moment_of(value)


def as_text(value: Attribute | None) -> str | None:
    """Return a text; None for anything else."""
    return value if isinstance(value, str) else None


def as_truth(value: Attribute | None) -> bool | None:
    """Return a truth value, or what the texts `true` and `false` say; None for anything else."""
    if isinstance(value, str):
        return _TRUTHS.get(value.strip().lower())
    return value if isinstance(value, bool) else None
