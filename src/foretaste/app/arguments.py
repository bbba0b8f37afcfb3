"""Arguments of Python callers, as queries have them."""

from collections.abc import Iterable
from typing import Any

from foretaste.domain.errors import InvalidQueryError
from foretaste.ports.vector_index import Values

MOST_ITEMS = 1000


def within(name: str, value: Any, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`; raise `InvalidQueryError` for anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidQueryError(
            f"{name} must be a whole number from {least} to {most}, not {value!r}", field=name
        )
    return value


def share(name: str, value: float | None) -> float | None:
    """Return a number from 0 to 1, or None; raise `InvalidQueryError` for anything else."""
    if value is not None and not 0.0 <= value <= 1.0:
        raise InvalidQueryError(f"{name} must be from 0 to 1, not {value!r}", field=name)
    return value


def as_texts(name: str, texts: str | Iterable[str]) -> tuple[str, ...]:
    """Return one text or several; raise `InvalidQueryError` for anything else."""
    found = (texts,) if isinstance(texts, str) else tuple(texts)
    for text in found:
        if not isinstance(text, str):
            raise InvalidQueryError(f"{name} must be text, not {text!r}", field=name)
    return found


def as_values(values: Values | None) -> dict[str, tuple[str, ...]]:
    """Return filters as a query has them; one text stands for itself, not for its letters."""
    return {
        name: (chosen,) if isinstance(chosen, str) else tuple(chosen)
        for name, chosen in (values or {}).items()
    }
