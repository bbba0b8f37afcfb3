"""What a model is fitted on."""

from dataclasses import dataclass, field

from foretaste.domain.arrays import Floats, Micros, Ordinals
from foretaste.domain.circumstances import PeopleCircumstances


@dataclass(frozen=True, slots=True)
class Interactions:
    """A window of the log in columns, sorted by (time, arrival): who, what, how much, when.

    `user` and `item` are ordinals below `n_users` and `n_items`; `weight` is what the event's type
    and value gave; `time` is in microseconds, all zero where the data has no timestamps
    (`timed` is False then, and order means nothing). Where it is `sequential`, `time` says the order of each
    user's own interactions, and nothing about those of different users. `circumstances` says what else is
    known of users.
    """

    user: Ordinals
    item: Ordinals
    weight: Floats
    time: Micros
    n_users: int
    n_items: int
    timed: bool = True
    sequential: bool = False
    circumstances: PeopleCircumstances = field(default_factory=PeopleCircumstances)

    def __len__(self) -> int:
        """How many interactions there are."""
        return len(self.user)
