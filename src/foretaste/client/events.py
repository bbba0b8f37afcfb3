"""Events as a client sends them: each with an id of its own, so that sending it again changes nothing."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias
from uuid import uuid4

import msgspec

from foretaste.client.answers import Attribute


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person did. `timestamp` is ISO 8601 or seconds since 1970, by default the service's time.

    `recommendation_id` is that of the list in which the person saw the item. `event_id` is made where none is
    given, and sent with every attempt.
    """

    user_id: str
    item_id: str
    type: str
    value: float | None = None
    timestamp: str | float | None = None
    session_id: str | None = None
    recommendation_id: str | None = None
    context: dict[str, Attribute] = {}
    event_id: str = ""


GivenEvent: TypeAlias = Event | Mapping[str, Any]


def identified(event: GivenEvent) -> dict[str, Any]:
    """Return an event as JSON holds it, with an id."""
    fields = dict(event) if isinstance(event, Mapping) else msgspec.to_builtins(event)
    if not fields.get("event_id"):
        fields["event_id"] = uuid4().hex
    return fields


def all_identified(events: Iterable[GivenEvent]) -> list[dict[str, Any]]:
    """Return events as JSON holds them, each with an id."""
    return [identified(event) for event in events]
