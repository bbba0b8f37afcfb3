"""What a batcher holds: events that wait, those on their way, and what became of the rest."""

import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from foretaste.client.answers import EventStatus, Receipt
from foretaste.client.errors import ClientError, InvalidRequestError, QueueFullError
from foretaste.client.events import GivenEvent, identified

OnRejected: TypeAlias = Callable[[dict[str, Any], EventStatus], object]
TOO_LARGE = 413
_encoded = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """How events are gathered: at most `size` in a request, none waits longer than `seconds` for company.

    `most` is how many may be held; `pause` (seconds) is waited after a request that failed.
    """

    size: int = 500
    seconds: float = 0.5
    most: int = 10_000
    pause: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of events, in numbers."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0


class EventBuffer:
    """Events in their order; not thread-safe.

    A batch is taken, then settled by what the service said: it is gone where the service took it or never
    will, else it waits again, in its place. `tally` counts what is gone; rejected events are handed to
    `on_rejected` with the reason. `error` is the last failure since a success.
    """

    def __init__(self, batching: Batching, on_rejected: OnRejected | None = None) -> None:
        self.tally = Tally()
        self.error: ClientError | None = None
        self._size, self._most = batching.size, batching.most
        self._on_rejected = on_rejected
        self._waiting: deque[dict[str, Any]] = deque()
        self._taken: list[dict[str, Any]] = []

    def __len__(self) -> int:
        """How many events are not settled."""
        return len(self._waiting) + len(self._taken)

    @property
    def full_batch(self) -> bool:
        """Whether what waits fills a request."""
        return len(self._waiting) >= self._size

    def add(self, event: GivenEvent) -> str:
        """Hold an event and return its id.

        Raises `QueueFullError`, and `TypeError` or `ValueError` for one that cannot be written as JSON.
        """
        if len(self) >= self._most:
            raise QueueFullError(
                f"{len(self)} events wait to be sent, as many as may; last failure: {self.error or 'none'}"
            )
        fields = identified(event)
        _encoded(fields)
        self._waiting.append(fields)
        event_id: str = fields["event_id"]
        return event_id

    def take(self) -> list[dict[str, Any]]:
        """Return the next batch, empty where nothing waits."""
        size = min(self._size, len(self._waiting))
        self._taken = [self._waiting.popleft() for _ in range(size)]
        return self._taken

    def settle(self, outcome: Receipt | ClientError) -> bool:
        """Note what became of the batch taken; return False where a pause should come before the next."""
        batch, self._taken = self._taken, []
        if isinstance(outcome, Receipt):
            self.error = None
            self._count(batch, outcome.events)
            return True
        if isinstance(outcome, InvalidRequestError) and (outcome.status != TOO_LARGE or len(batch) == 1):
            self._count(batch, _reasons(outcome, len(batch)))
            return True
        self._waiting.extendleft(reversed(batch))
        if isinstance(outcome, InvalidRequestError):
            self._size = len(batch) // 2
            return True
        self.error = outcome
        return False

    def _count(self, batch: Sequence[dict[str, Any]], statuses: Sequence[EventStatus]) -> None:
        became = Counter(status.status for status in statuses)
        self.tally = Tally(
            accepted=self.tally.accepted + became["accepted"],
            duplicates=self.tally.duplicates + became["duplicate"],
            rejected=self.tally.rejected + became["rejected"],
        )
        for event, status in zip(batch, statuses, strict=True):
            if status.status == "rejected":
                self._tell(event, status)

    def _tell(self, event: dict[str, Any], status: EventStatus) -> None:
        if self._on_rejected is None:
            return
        try:
            self._on_rejected(event, status)
        except Exception:  # noqa: BLE001 - whatever goes wrong there must not end the sending
            _log.exception("who is told of rejected events failed")


def _reasons(error: InvalidRequestError, n: int) -> Sequence[EventStatus]:
    """Return a status for each of `n` events of a request that was refused as a whole."""
    if len(error.errors) == n:
        return msgspec.convert(error.errors, tuple[EventStatus, ...])
    return [EventStatus(status="rejected", reason=error.message, field=error.field)] * n
