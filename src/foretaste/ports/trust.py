"""The trust record: whether the online store is believed, where all replicas can read it."""

from typing import Protocol

import msgspec


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the online store is believed, since which epoch, and which incarnation of its server."""

    epoch: int = 0
    trusted: bool = False
    incarnation: str = ""


class TrustRecord(Protocol):
    """One row beside the log, changed by comparing and replacing.

    Promises (`foretaste.testing.contracts.trust`): a read sees every change that was returned from before;
    of several changes from one epoch the first wins and the others change nothing; epochs only rise, and
    one that was trusted is never trusted again once it was left. A new record is `Trust()`. All raise
    `UnavailableError` where it cannot be reached.
    """

    def read(self) -> Trust:
        """Return it as it is."""
        ...

    def distrust(self, seen_epoch: int) -> Trust:
        """If the epoch is `seen_epoch` and trusted, open the next one untrusted; return it as it is then."""
        ...

    def restore(self, seen_epoch: int, incarnation: str) -> Trust:
        """If the epoch is `seen_epoch` and untrusted, open the next one, trusted; return it as it is then."""
        ...
