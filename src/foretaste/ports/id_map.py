"""The id map: permanent dense numbers for the ids of the outside world."""

from collections.abc import Sequence
from typing import Literal, Protocol

from foretaste.domain.arrays import Ordinals

IdKind = Literal["user", "item", "type"]


class IdMap(Protocol):
    """Ids of users, items and event types as ordinals 0, 1, 2, … in the order of first sight.

    Promises (`foretaste.testing.contracts.id_map`):

    - **Permanent.** An id keeps its ordinal for ever, across restarts; no ordinal is given twice.
    - **Durable.** An ordinal that was returned survives `kill -9`.
    - **Exact.** Any unicode id is kept apart from every other one, byte for byte.
    """

    def assign(self, kind: IdKind, ids: Sequence[str]) -> Ordinals:
        """Return the ordinals of `ids`, giving new ones where needed."""
        ...

    def find(self, kind: IdKind, ids: Sequence[str]) -> Ordinals:
        """Return the ordinals of `ids`, -1 where unknown. Answers from memory."""
        ...

    def ordinal(self, kind: IdKind, one: str) -> int:
        """Return the ordinal of one id, -1 where unknown. Answers from memory."""
        ...

    def names(self, kind: IdKind, start: int = 0) -> list[str]:
        """Return the ids with ordinals from `start` on, in order. Answers from memory."""
        ...
