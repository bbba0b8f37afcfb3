"""Kinds of values that expressions speak of, and what attributes hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a value is."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "truth"
    TIME = "time"
    DURATION = "duration"
    LIST = "list"


PLAIN = frozenset({Kind.NUMBER, Kind.TEXT, Kind.TRUTH})
"""What an attribute's value may be; a moment is written as text or as a number."""

READABLE = PLAIN | {Kind.TIME}
"""What a person's attribute or a value of the context can be read as."""


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """The attributes that items have and the kinds that their values were seen with; equal only to itself."""

    kinds: Mapping[str, frozenset[Kind]]

    def widened(self, more: Mapping[str, frozenset[Kind]]) -> "Schema":
        """Return the schema that also knows `more`; this very one where it does already."""
        new = {name: kinds for name, kinds in more.items() if not kinds <= self.kinds.get(name, frozenset())}
        if not new:
            return self
        return Schema(
            {**self.kinds, **{name: kinds | self.kinds.get(name, frozenset()) for name, kinds in new.items()}}
        )


def kind_of_type(value_type: type) -> Kind:
    """Return the kind of an attribute's values of a Python type."""
    if value_type is bool:
        return Kind.TRUTH
    return Kind.TEXT if issubclass(value_type, str) else Kind.NUMBER
