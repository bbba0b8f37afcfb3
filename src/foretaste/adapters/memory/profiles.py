"""Profiles in memory."""

from collections.abc import Mapping, Sequence
from threading import Lock

from foretaste.domain.item import Attribute
from foretaste.ports.profiles import Attributes


class MemoryProfiles:
    """`Profiles` that end with the process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._people: dict[str, dict[str, Attribute]] = {}

    def put(self, people: Mapping[str, Attributes]) -> None:
        """Insert or replace the attributes of people."""
        with self._lock:
            self._people |= {user_id: dict(attributes) for user_id, attributes in people.items()}

    def get(self, user_id: str) -> dict[str, Attribute] | None:
        """Return the attributes of a person, None where nothing is known."""
        found = self._people.get(user_id)
        return None if found is None else dict(found)

    def all(self) -> dict[str, dict[str, Attribute]]:
        """Return the attributes of everyone by user id."""
        with self._lock:
            return {user_id: dict(attributes) for user_id, attributes in self._people.items()}

    def delete(self, user_ids: Sequence[str]) -> int:
        """Forget the attributes of people; return how many had any."""
        with self._lock:
            return sum(self._people.pop(user_id, None) is not None for user_id in user_ids)

    def close(self) -> None:
        """Release nothing."""
