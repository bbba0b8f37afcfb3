"""Who keeps the state: restored from its snapshot and the log's tail, folded on, saved again."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Protocol

from foretaste.adapters.files.snapshot_file import read_snapshot, write_snapshot
from foretaste.app.reading_ahead import read_ahead
from foretaste.domain.errors import CorruptSnapshotError, ForetasteError
from foretaste.domain.event import EventColumns
from foretaste.domain.freed_memory import give_back_freed
from foretaste.features.snapshots import seq_of_snapshot
from foretaste.features.state import LaidOut, State
from foretaste.ports.event_log import EventLog

_log = logging.getLogger(__name__)


Saving = Callable[[], AbstractContextManager[bool]]
GROWS_BY = 8
"""A snapshot costs as much as the state is large, so the log grows by an eighth from one to the next."""
RESTS = 9
"""So many times as long as a snapshot took is none written: an import would spend its time on them."""


def always() -> AbstractContextManager[bool]:
    """Let snapshots be written at any time."""
    return nullcontext(enter_result=True)


class Learner(Protocol):
    """What lets events into the state itself, and learns from them."""

    def apply(self, events: EventColumns) -> int:
        """Fold events into the state; return how many were new."""
        ...


class StateKeeper:
    """Folds the log into `state`, and saves snapshots to `path` after `snapshot_events` events or more.

    After more where the log is long: see `GROWS_BY`. A snapshot only saves time: one that is damaged, of
    another log or of another configuration is ignored, and the state is folded from the whole log. Without
    `path` none is read or written, and while `saving` gives False none is written.
    """

    def __init__(
        self,
        state: State,
        path: Path | None,
        *,
        snapshot_events: int,
        saving: Saving = always,
    ) -> None:
        self.state = state
        self.learner: Learner | None = None
        self.folded: Callable[[], object] = _nobody
        self._path = path
        self._saving = saving
        self._snapshot_events = snapshot_events
        self._saved_seq = 0
        self._due = Event()
        self._closing = Event()
        self._thread: Thread | None = None
        self._read: Future[tuple[LaidOut, int, int]] | None = None

    def fold(self, events: EventColumns) -> None:
        """Fold new events in; the log calls it after each commit.

        Where there is a `learner`, it does so; if it fails, it is done with, and the state goes on. Then
        `folded` is called, before who sent the events is told.
        """
        if self.learner is not None:
            try:
                self.learner.apply(events)
            except Exception:  # noqa: BLE001 - whatever is wrong with learning must not stop the state
                _log.exception("the blend no longer learns: it serves on as it was last")
                self.learner = None
        self.state.apply(events)
        self.folded()
        if self.is_due(events.last_seq):
            self._due.set()

    def is_due(self, seq: int) -> bool:
        """Return whether a snapshot is worth its cost when the log has come to `seq`."""
        return seq - self._saved_seq >= max(self._snapshot_events, self._saved_seq // GROWS_BY)

    def begin(self) -> None:
        """Begin to read the snapshot, on a thread of its own: much of that lets go of the GIL."""
        if self._path is not None and self._path.is_file():
            pool = ThreadPoolExecutor(1, thread_name_prefix="foretaste-restore")
            self._read = pool.submit(_read, self._path, self.state)
            pool.shutdown(wait=False)

    def restore(self, log: EventLog) -> None:
        """Bring the state to the end of the log, from the snapshot that `begin` read."""
        read, self._read = self._read, None
        if read is not None:
            try:
                self._take(*read.result(), log)
            except CorruptSnapshotError as error:
                _log.info("the state is folded from the log: %s", error.message)
        for events in read_ahead(log, self.state.seq):
            self.state.apply(events)

    def watch(self, log: EventLog) -> None:
        """Begin to save snapshots in the background."""
        self._thread = Thread(target=self._run, args=(log,), name="foretaste-snapshots", daemon=True)
        self._thread.start()

    def save(self, log: EventLog) -> None:
        """Write a snapshot if anything happened since the last one; a full disk is no error."""
        if self._path is None or self.state.seq == self._saved_seq:
            return
        with self._saving() as may:
            if may:
                self._save(self._path, log)

    def close(self, log: EventLog) -> None:
        """Stop saving in the background, save a last time."""
        self._closing.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()
        self.save(log)

    def _save(self, path: Path, log: EventLog) -> None:
        snapshot = self.state.snapshot()
        seq = seq_of_snapshot(snapshot)
        try:
            write_snapshot(path, snapshot, seq=seq, key=_key_at(log, seq))
        except (OSError, ForetasteError) as error:
            _log.warning("the snapshot could not be written, the next start takes longer: %s", error)
            return
        self._saved_seq = seq

    def _take(self, laid_out: LaidOut, seq: int, key: int, log: EventLog) -> None:
        if seq > log.last_seq() or _key_at(log, seq) != key:
            raise CorruptSnapshotError("the snapshot belongs to another log")
        self.state.become(laid_out)
        self._saved_seq = seq

    def _run(self, log: EventLog) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._closing.is_set():
                return
            began = monotonic()
            self.save(log)
            give_back_freed()
            self._closing.wait(RESTS * (monotonic() - began))


def _read(path: Path, state: State) -> tuple[LaidOut, int, int]:
    """Return what `state` can become, the last event of it and that event's key."""
    arrays, seq, key = read_snapshot(path)
    return state.laid_out(arrays), seq, key


def _nobody() -> None:
    """Nobody else wants to know."""


def _key_at(log: EventLog, seq: int) -> int:
    """Return the key of the event with this number, 0 if there is none."""
    found = log.read(seq - 1, 1)
    return int(found.key[0]) if len(found) and int(found.seq[0]) == seq else 0
