"""Candidates as clients write them, and the question they mean."""

from collections.abc import Iterable, Mapping
from typing import Any

from foretaste.domain.errors import InvalidInputError, InvalidQueryError
from foretaste.domain.item import Item
from foretaste.events.items import parse_item
from foretaste.serving.candidates import MOST_CANDIDATES

OTHER_NAMES = {"content": "text", "topics": "categories"}
"""Names that content platforms have for fields of an item; ours wins where both are given."""


def candidates_of(candidates: Iterable[str | Item | Mapping[str, Any]]) -> list[Item]:
    """Return candidates as items; one given by its id alone says nothing else.

    Raises `InvalidQueryError` naming the candidate that cannot be read, and for more than `MOST_CANDIDATES`.
    """
    found: list[Item] = []
    for number, candidate in enumerate(candidates):
        if number == MOST_CANDIDATES:
            raise InvalidQueryError(
                f"there are more than {MOST_CANDIDATES} candidates: send the likeliest", field="candidates"
            )
        try:
            found.append(_candidate(candidate))
        except InvalidInputError as error:
            wrong = _as_written(candidate, error)
            raise InvalidQueryError(f"candidate {number}: {wrong}", field="candidates") from error
    return found


def _as_written(candidate: object, error: InvalidInputError) -> str:
    """Return what is wrong, its field called as the candidate calls it."""
    for theirs, ours in OTHER_NAMES.items():
        if error.field == ours and isinstance(candidate, Mapping) and ours not in candidate:
            return theirs + error.message.removeprefix(ours)
    return error.message


def _candidate(candidate: str | Item | Mapping[str, Any]) -> Item:
    if isinstance(candidate, Item):
        return candidate
    if isinstance(candidate, str):
        return parse_item({"item_id": candidate})
    if not isinstance(candidate, Mapping):
        raise InvalidQueryError("it must be an id or an object with item_id", field="candidates")
    if OTHER_NAMES.keys().isdisjoint(candidate):
        return parse_item(candidate)
    fields = {OTHER_NAMES.get(name, name): value for name, value in candidate.items() if name in OTHER_NAMES}
    return parse_item(fields | {name: value for name, value in candidate.items() if name not in OTHER_NAMES})
