"""What was told of people, for answers: as it was told, and as circumstances."""

from collections.abc import Mapping
from types import MappingProxyType

from foretaste.domain.circumstances import written
from foretaste.domain.item import Attribute
from foretaste.ports.profiles import Attributes

_NOTHING: Mapping[str, Attribute] = MappingProxyType({})


class ToldPeople:
    """Attributes of people by user id. Who reads sees a person before a change or after it."""

    def __init__(self, people: Mapping[str, Attributes]) -> None:
        self.names: frozenset[str] = frozenset()
        """The names of all attributes that anybody has, or had before they were replaced."""
        self._attributes: dict[str, Attributes] = {}
        self._circumstances: dict[str, tuple[str, ...]] = {}
        self.put(people)

    def put(self, people: Mapping[str, Attributes]) -> None:
        """Replace the attributes of these people."""
        self.names = self.names.union(*people.values())
        self._attributes |= people
        self._circumstances |= {user_id: written(known) for user_id, known in people.items()}

    def attributes_of(self, user_id: str | None) -> Mapping[str, Attribute]:
        """Return the attributes of a person; none for a stranger."""
        return _NOTHING if user_id is None else self._attributes.get(user_id, _NOTHING)

    def circumstances_of(self, user_id: str | None) -> tuple[str, ...]:
        """Return what is known of a person, as circumstances; nothing for a stranger."""
        return () if user_id is None else self._circumstances.get(user_id, ())
