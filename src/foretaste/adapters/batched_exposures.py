"""Exposures on their way into a database: they wait in memory, and a thread writes them in batches."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import islice
from threading import Condition, Lock, Thread
from typing import ClassVar

import msgspec

from foretaste.domain.slate import Exposure

MOST_WAITING = 20_000
BATCH = 1_000
PAUSE_SECONDS = 0.5
IDLE_SECONDS = 3_600.0
"""So often what is too old is removed where nothing is written."""

Row = tuple[str, int, bytes]
"""A record as it is stored: its id, its time and all of it as JSON."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Exposure).decode
_log = logging.getLogger(__name__)


class BatchedExposures(ABC):
    """What the exposure logs of databases share; see `ExposureLog`.

    Records wait in memory, at most `most_waiting`, and are written every half second or by the thousand:
    `kill -9` loses what waited, which no answer depends on. While the database refuses they go on waiting.
    Every `idle_seconds` without a record none are written, so that what is too old is removed all the same.

    Whoever derives from it initializes it last: its thread writes from then on.
    """

    refusal: ClassVar[type[Exception]]
    """What `_put` raises where nothing can be written at present."""

    def __init__(self, most_waiting: int, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._most_waiting = most_waiting
        self._idle_seconds = idle_seconds
        self._waiting: dict[str, Row] = {}
        self._leaving: dict[str, Row] = {}
        self._dropped = 0
        self._closing = self._failing = False
        self._changed = Condition()
        self._storing = Lock()
        self._thread = Thread(target=self._run, name="foretaste-exposures", daemon=True)
        self._thread.start()

    @abstractmethod
    def _put(self, rows: Sequence[Row]) -> None:
        """Write rows in one transaction, maybe none, and remove what is too old."""

    @abstractmethod
    def _found(self, recommendation_id: str) -> Exposure | None:
        """Return a stored record or None."""

    @abstractmethod
    def _release(self) -> None:
        """Let go of what was opened for this log, once all is written."""

    def record(self, exposure: Exposure) -> None:
        """Take one record."""
        row = _row(exposure)  # here: on the other thread it would ask for the interpreter all the time
        with self._changed:
            if self._closing or row is None:
                self._dropped += 1
                return
            self._waiting.pop(exposure.recommendation_id, None)
            self._waiting[exposure.recommendation_id] = row
            self._drop_the_oldest()
            if len(self._waiting) in {1, BATCH}:
                self._changed.notify_all()

    def get(self, recommendation_id: str) -> Exposure | None:
        """Return a record, waiting ones included, or None."""
        with self._changed:
            row = self._waiting.get(recommendation_id) or self._leaving.get(recommendation_id)
        return self._found(recommendation_id) if row is None else _decode(row[2])

    def flush(self) -> None:
        """Write what waits; return when it is stored. Raises `UnavailableError` if it cannot be."""
        self._store()

    def dropped(self) -> int:
        """Return how many records were dropped so far."""
        return self._dropped

    def close(self) -> None:
        """Flush, then release everything. Closing twice is fine; what cannot be written is dropped."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._release()

    def _run(self) -> None:
        while not self._closing:
            with self._changed:
                if self._changed.wait_for(lambda: bool(self._waiting) or self._closing, self._idle_seconds):
                    self._changed.wait_for(self._urgent, PAUSE_SECONDS)
            self._failing = not self._stored()
        if not self._stored():
            self._dropped += len(self._waiting)

    def _urgent(self) -> bool:
        """Whether to write before the pause is over; not while the database refuses."""
        return self._closing or (len(self._waiting) >= BATCH and not self._failing)

    def _stored(self) -> bool:
        try:
            self._store()
        except self.refusal as error:
            _log.warning("exposures cannot be written for now, %d wait: %s", len(self._waiting), error)
            return False
        return True

    def _store(self) -> None:
        """Write what waits now; afterwards it waits no more."""
        with self._storing:
            with self._changed:
                self._leaving, self._waiting = self._waiting, {}
            try:
                self._put(list(self._leaving.values()))
            except BaseException:
                with self._changed:
                    self._waiting = {**self._leaving, **self._waiting}
                    self._leaving = {}
                    self._drop_the_oldest()
                raise
            self._leaving = {}

    def _drop_the_oldest(self) -> None:
        """Let go of what is too much; what is being written counts, and stays."""
        excess = len(self._waiting) + len(self._leaving) - self._most_waiting
        for key in list(islice(self._waiting, max(excess, 0))):
            del self._waiting[key]
            self._dropped += 1


def _row(exposure: Exposure) -> Row | None:
    """Return a record as it is stored, None where it holds text that is no Unicode."""
    try:
        exposure.recommendation_id.encode()
        return exposure.recommendation_id, exposure.time, _encode(exposure)
    except UnicodeEncodeError:
        return None
