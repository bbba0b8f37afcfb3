"""Gorse's labels: any JSON, sorted into what an item or a person can hold."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from foretaste.domain.item import Attribute

SEPARATOR = "|"
UNNAMED = "label"


@dataclass(frozen=True, slots=True)
class Labels:
    """Single values by their names (`a.b` where they were nested), texts of lists, and lists of numbers."""

    attributes: dict[str, Attribute] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    vectors: list[list[float]] = field(default_factory=list)


def sorted_labels(labels: Any) -> Labels:
    """Return what labels hold; text is JSON, or words with `|` between them as in Gorse's CSV."""
    found = Labels()
    _sort(_parsed(labels) if isinstance(labels, str) else labels, "", found)
    return found


def _parsed(text: str) -> Any:
    if text.lstrip().startswith(("{", "[")):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            pass
    return text.split(SEPARATOR)


def _sort(value: Any, name: str, found: Labels) -> None:
    if isinstance(value, dict):
        for inner, part in value.items():
            _sort(part, f"{name}.{inner}" if name else str(inner), found)
    elif isinstance(value, list) and _is_vector(value):
        found.vectors.append([float(number) for number in value])
    elif isinstance(value, list):
        for part in value:
            if isinstance(part, str):
                found.tags.extend([part.strip()] if part.strip() else [])
            else:
                _sort(part, name, found)
    elif isinstance(value, str | bool | int | float):
        found.attributes[name or UNNAMED] = value


def _is_vector(values: list[Any]) -> bool:
    return len(values) > 1 and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )
