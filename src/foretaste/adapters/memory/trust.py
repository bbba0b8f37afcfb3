"""The trust record in memory."""

from threading import Lock

from foretaste.ports.trust import Trust


class MemoryTrust:
    """`TrustRecord` that ends with the process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._trust = Trust()

    def read(self) -> Trust:
        """Return it as it is."""
        return self._trust

    def distrust(self, seen_epoch: int) -> Trust:
        """Open an untrusted epoch after `seen_epoch`."""
        with self._lock:
            if self._trust.epoch == seen_epoch and self._trust.trusted:
                self._trust = Trust(epoch=seen_epoch + 1)
            return self._trust

    def restore(self, seen_epoch: int, incarnation: str) -> Trust:
        """Open a trusted epoch after `seen_epoch`."""
        with self._lock:
            if self._trust.epoch == seen_epoch and not self._trust.trusted:
                self._trust = Trust(epoch=seen_epoch + 1, trusted=True, incarnation=incarnation)
            return self._trust
