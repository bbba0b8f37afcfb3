"""Gorse's records as they are read, whatever way they came: one spelling for every field."""

from collections.abc import Generator, Mapping
from typing import Any, Literal, Protocol, TypeAlias

from foretaste.adapters.files.rows import Reject

GorseKind: TypeAlias = Literal["users", "items", "feedback"]
GorseRecord: TypeAlias = dict[str, Any]
"""What is known of a user, an item or a feedback, by the names of `FIELDS`; empty values are left out."""

FIELDS: Mapping[str, str] = {
    "userid": "user_id",
    "itemid": "item_id",
    "feedbacktype": "feedback_type",
    "ishidden": "is_hidden",
    "categories": "categories",
    "timestamp": "timestamp",
    "labels": "labels",
    "value": "value",
    "comment": "comment",
    "description": "comment",
}
"""Names in CSV (`item_id`, `time_stamp`, `description`) and in JSON (`ItemId`, `Timestamp`, `Comment`)."""


class GorseSource(Protocol):
    """Where records come from."""

    def batches(self, kind: GorseKind) -> Generator[list[tuple[int, GorseRecord] | Reject]]:
        """Return records in pieces, each with its number, and what could not be read."""
        ...


def record_of(raw: Mapping[str, Any]) -> GorseRecord:
    """Return the fields that are known and not empty."""
    named = ((FIELDS.get(name.replace("_", "").lower()), value) for name, value in raw.items())
    return {name: value for name, value in named if name is not None and value not in (None, "", [])}
