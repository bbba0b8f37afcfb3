"""What a model is fitted on."""

from dataclasses import dataclass, field

from foretaste.domain.arrays import Floats, Micros, Ordinals
from foretaste.domain.circumstances import Circumstances


@dataclass(frozen=True, slots=True)
class Interactions:
    """A window of the log in columns, sorted by (time, arrival): who, what, how much, when.

    `user` and `item` are ordinals below `n_users` and `n_items`; `weight` is what the event's type
    and value gave; `time` is in microseconds, all zero where the data has no timestamps
    (`timed` is False then, and order means nothing). Where it is `sequential`, `time` says the order of each
    user's own interactions, and nothing about those of different users. `circumstances` says what else is
    known of users, `contexts` what each interaction said of its moment, by its place here.
    """

    user: Ordinals
    item: Ordinals
    weight: Floats
    time: Micros
    n_users: int
    n_items: int
    timed: bool = True
    sequential: bool = False
    circumstances: Circumstances = field(default_factory=Circumstances)
    contexts: Circumstances = field(default_factory=Circumstances)

    def __len__(self) -> int:
        """How many interactions there are."""
        return len(self.user)
