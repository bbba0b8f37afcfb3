"""Profiles in PostgreSQL: exact as JSON, and as JSONB for those who ask by SQL."""

from collections.abc import Mapping, Sequence

import msgspec

from foretaste.adapters.postgres.database import READ_SECONDS, PostgresDatabase
from foretaste.adapters.postgres.id_map import checked_id
from foretaste.adapters.postgres.text import escaped, unescaped
from foretaste.domain.item import Attribute
from foretaste.ports.profiles import Attributes

PUT = "SELECT put_people(%s::text[], %s::bytea[], %s::text[])"
FORGET = "SELECT forget_people(%s::text[])"
GET = "SELECT content FROM profile WHERE user_id = %s"
ALL = "SELECT user_id, content FROM profile ORDER BY user_id"

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(dict[str, Attribute]).decode


class PostgresProfiles:
    """`Profiles` in `database`, which whoever opened it closes."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    def put(self, people: Mapping[str, Attributes]) -> None:
        """Insert or replace the attributes of people."""
        if not people:
            return
        arguments = (
            [checked_id(user_id) for user_id in people],
            [_encode(dict(attributes)) for attributes in people.values()],
            [_searchable(attributes) for attributes in people.values()],
        )
        self._database.run(lambda connection: connection.execute(PUT, arguments))

    def get(self, user_id: str) -> dict[str, Attribute] | None:
        """Return the attributes of a person, None where nothing is known."""
        row = self._database.run(lambda lent: lent.execute(GET, (escaped(user_id),), binary=True).fetchone())
        return None if row is None else _decode(row[0])

    def all(self) -> dict[str, dict[str, Attribute]]:
        """Return the attributes of everyone by user id."""
        rows = self._database.run(
            lambda connection: connection.execute(ALL, binary=True).fetchall(), seconds=READ_SECONDS
        )
        return {unescaped(user_id): _decode(content) for user_id, content in rows}

    def delete(self, user_ids: Sequence[str]) -> int:
        """Forget the attributes of people; return how many had any."""
        ids = [escaped(user_id) for user_id in user_ids]
        found = self._database.run(lambda connection: connection.execute(FORGET, (ids,)).fetchone())
        return int(found[0]) if found else 0

    def close(self) -> None:
        """Nothing is held but the database. Closing twice is fine."""


def _searchable(attributes: Attributes) -> str:
    plain = {
        escaped(name): escaped(value) if isinstance(value, str) else value
        for name, value in attributes.items()
    }
    return _encode(plain).decode()
