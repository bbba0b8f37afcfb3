"""Figures as they are written: those that are infinite too."""

import math
from typing import Any

import msgspec

INFINITE = "Infinity"
"""An infinite figure in JSON, which has no number for it: text that `float`, or `Number`, reads as one."""


def written(found: Any) -> Any:
    """Return structs and plain values as plain values for JSON: infinite numbers as text, NaN as None."""
    return _finite(msgspec.to_builtins(found))


def percent(part: float) -> str:
    """Return by what part something is ahead, with its sign, as `+12.5%`."""
    return f"{part:+.1%}" if math.isfinite(part) else _unbounded(part)


def factor(times: float) -> str:
    """Return how many times something is something else, as `1.25`."""
    return f"{times:.2f}" if math.isfinite(times) else _unbounded(times)


def _unbounded(figure: float) -> str:
    return "unknown" if math.isnan(figure) else "infinite" if figure > 0 else "-infinite"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else INFINITE if value > 0 else f"-{INFINITE}"
