"""Rows as people with attributes; what cannot be used is said with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foretaste.adapters.files.cells import attribute_of, is_there, values_of
from foretaste.adapters.files.columns import USER_NAMES, column_mapping, id_of, others
from foretaste.adapters.files.rows import Pieces, Reject, Rows, RowSource
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.item import Attribute
from foretaste.events.people import parse_attributes
from foretaste.events.text import checked_id

CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class PeopleChunk:
    """Attributes of some people of a file by user id, the later of two rows, and what was rejected."""

    people: dict[str, dict[str, Attribute]]
    rejects: list[Reject]


def people_chunks(
    source: RowSource, columns: Mapping[str, str], where: str, *, size: int = CHUNK
) -> Pieces[PeopleChunk]:
    """Return the people of `source` in pieces, in the order of the file.

    Every column but the user's id is an attribute of that name, as are the entries of an object called
    `attributes`; empty cells say nothing. Raises `InvalidInputError` where the id has no column, at once.
    """
    names = source.names()
    mapping = column_mapping(USER_NAMES, names, columns, required=("user_id",), where=where)
    people = (_people(rows, mapping["user_id"]) for rows in source.chunks(size))
    return Pieces(mapping, others(names, mapping), people)


def _people(rows: Rows, id_column: str) -> PeopleChunk:
    people: dict[str, dict[str, Attribute]] = {}
    rejects = list(rows.rejects)
    columns = {name: values_of(column) for name, column in rows.columns.items()}
    for at, line in enumerate(rows.lines):
        row = {name: values[at] for name, values in columns.items()}
        try:
            user_id = checked_id(
                id_of(row[id_column], "user_id", InvalidInputError), "user_id", InvalidInputError
            )
            people[user_id] = _attributes(user_id, row, id_column)
        except InvalidInputError as error:
            rejects.append(Reject(line=line, reason=error.message, row=row))
    return PeopleChunk(people, sorted(rejects, key=lambda reject: reject.line))


def _attributes(user_id: str, row: Mapping[str, Any], id_column: str) -> dict[str, Attribute]:
    given = {name: value for name, value in row.items() if name != id_column}
    nested = given.pop("attributes", None)
    if isinstance(nested, Mapping):
        given.update({str(name): value for name, value in nested.items()})
    elif is_there(nested):
        given["attributes"] = nested
    return parse_attributes(user_id, {name: _plain(given[name]) for name in given if is_there(given[name])})


def _plain(value: Any) -> Any:
    """Return a cell as an attribute; lists and objects are none, which `parse_attributes` says."""
    return value if isinstance(value, list | tuple | Mapping) else attribute_of(value)
