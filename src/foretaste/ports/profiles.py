"""Profiles: what is known of people beside what they did."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from foretaste.domain.item import Attribute

Attributes = Mapping[str, Attribute]
"""Attributes of a person by name, as `age` and `country`."""


class Profiles(Protocol):
    """Attributes of people by user id; people need no events to have them.

    Promises (`foretaste.testing.contracts.profiles`):

    - **Durable.** What `put` returned from is there after `kill -9`.
    - **Whole.** `put` replaces all attributes of a person, and all people of one call or none.
    """

    def put(self, people: Mapping[str, Attributes]) -> None:
        """Insert or replace the attributes of people."""
        ...

    def get(self, user_id: str) -> dict[str, Attribute] | None:
        """Return the attributes of a person, None where nothing is known."""
        ...

    def all(self) -> dict[str, dict[str, Attribute]]:
        """Return the attributes of everyone by user id."""
        ...

    def delete(self, user_ids: Sequence[str]) -> int:
        """Forget the attributes of people; return how many had any."""
        ...

    def close(self) -> None:
        """Release everything. Closing twice is fine."""
        ...
