"""Freshness: what a process must know at least before it answers, where several write."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from foretaste.ports.profiles import Attributes


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """How far the truth is: the number of a person's last event, the versions of catalog and people."""

    user_seq: int
    catalog_version: int
    people_version: int


class PeopleChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of people and changed up to `version`; of everyone if `is_all`: some were forgotten."""

    version: int
    people: Mapping[str, Attributes]
    is_all: bool


class Freshness(Protocol):
    """What the other processes wrote, for one process that follows them.

    Promises (`foretaste.testing.contracts.freshness`):

    - **Right.** `head_of` knows every event, item and attribute that was acknowledged to anyone before it was
      called; after `catch_up(head.user_seq)` the log of this process and its subscriber know these events.
    - **Bounded.** Nothing waits long; while the truth is known to be away everything raises
      `UnavailableError` at once. One background thread alone tries again, and when it got through all is as
      before.
    """

    def head_of(self, user_id: str | None) -> Head:
        """Return how far the truth is; the number is 0 for nobody and for one who has no event."""
        ...

    def catch_up(self, seq: int) -> None:
        """Follow the log up to number `seq` at least."""
        ...

    def people_after(self, version: int) -> PeopleChange:
        """Return what was told of people after `version`."""
        ...

    def settle(self) -> None:
        """Return when other processes' answers know what was last written to catalog and people."""
        ...

    def lag_seconds(self) -> float:
        """Return for how long the end of the log has not been seen: how old the state may be."""
        ...

    def close(self) -> None:
        """Follow no more."""
        ...
