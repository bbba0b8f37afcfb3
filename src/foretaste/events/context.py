"""What is known of a moment, as clients nest it: brought onto one level of plain values."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from foretaste.events.items import SEPARATOR

Plain: TypeAlias = str | int | float | bool | None
Told: TypeAlias = Plain | list[Plain] | dict[str, Plain]
"""A member of a context as it may be written: plain, a list of plain values, or an object of them."""

LONGEST_LIST = 256
"""Bytes of UTF-8 that a list may have as one text."""


def flattened(context: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a context on one level: `{"location": {"city": "Oslo"}}` is `{"location.city": "Oslo"}`.

    A list of plain values becomes one text with `|` between them. What is nested deeper is left as it is.
    """
    flat: dict[Any, Any] = {}
    for name, value in context.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": _plain(told) for inner, told in value.items()}
        else:
            flat[name] = _plain(value)
    return flat


def text_of(value: str | float | bool) -> str:
    """Return a plain value as text; truth values in lower case, as JSON has them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def joined(texts: Iterable[str], most_bytes: int = LONGEST_LIST) -> str:
    """Return texts with `|` between them, in their order, leaving out those that do not fit any more."""
    kept: list[str] = []
    left = most_bytes + 1
    for text in texts:
        size = len(text.encode("utf-8", "surrogatepass")) + 1
        if 1 < size <= left:
            kept.append(text)
            left -= size
    return SEPARATOR.join(kept)


def _plain(value: Any) -> Any:
    if not isinstance(value, list | tuple) or any(isinstance(part, list | tuple | Mapping) for part in value):
        return value
    return joined(text_of(part) for part in value if part is not None) or None
