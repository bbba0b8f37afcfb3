"""The worker: takes a stream in, and does what else is due beside the log, until it is told to stop."""

import logging
import random
import time
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Protocol

from foretaste.app.stopping import Stopped, never
from foretaste.app.worker_ingest import StreamIngest
from foretaste.domain.errors import UnavailableError

POLL_SECONDS, SHORT_POLL_SECONDS = 0.5, 0.05
"""How long the worker waits for messages before it looks whether it should stop, or has reached the end."""

IDLE_SECONDS = 0.1
"""Between two looks of a task that had nothing to do."""

JOIN_SECONDS = 30.0
"""How long a worker that should end with the stream's end waits for a share of it."""

DRAIN_SECONDS = 30.0
"""How long tasks may take to finish what they are at."""

STREAM = "stream"
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
_log = logging.getLogger(__name__)


class Task(Protocol):
    """Something that one worker of a group does again and again.

    Both return early, between two steps, once `stopped` says so; what is left is done by the next call.
    """

    def run_once(self, stopped: Stopped = never) -> int:
        """Do what is due; return how much was done. Raises `UnavailableError` to be called again later."""
        ...

    def flush(self, stopped: Stopped = never) -> int:
        """Do all that there is to do at this moment; return how much."""
        ...


class Worker:
    """Runs `ingest`, and the `tasks`, by their names, while this member of the group leads.

    `prepare` is called first, until it succeeds.

    `run` returns after `stop` is set, when the batch in hand is stored, or never started; what is away
    is waited for, with pauses that grow.
    """

    def __init__(
        self,
        ingest: StreamIngest,
        tasks: Mapping[str, Task] | None = None,
        *,
        prepare: Callable[[], None] = lambda: None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.stop = Event()
        self._ingest = ingest
        self._tasks = tasks or {}
        self._prepare = prepare
        self._jitter = jitter
        self._wrong: dict[str, str] = {}

    def run(self, *, until_empty: bool = False) -> int:
        """Work until `stop`; with `until_empty` until nothing is left to do. Return how many messages came.

        Raises `UnavailableError` with `until_empty` where other members have all partitions.
        """
        threads = [] if until_empty else [self._started(name) for name in self._tasks]
        try:
            return self._take_in(until_empty=until_empty)
        except Exception as error:
            self._wrong[STREAM] = f"the stream is not taken in until a new start: {error}"
            raise
        finally:
            self.stop.set()
            deadline = time.monotonic() + DRAIN_SECONDS
            for thread in threads:
                thread.join(max(deadline - time.monotonic(), 0.0))
            self._ingest.source.close()

    def wrong(self) -> str | None:
        """Return what keeps it from taking in or from a task, None where nothing does."""
        wrong = list(self._wrong.values())
        if self._ingest.away:
            wrong.append(f"the stream does not say how much waits: {self._ingest.away}")
        return "; ".join(wrong) or None

    def leads(self) -> bool:
        """Whether the tasks are this member's."""
        return self._ingest.leads()

    def _take_in(self, *, until_empty: bool) -> int:
        done, pauses, prepared = 0, Pauses(self._jitter), False
        joined_by = time.monotonic() + JOIN_SECONDS
        while not self.stop.is_set():
            try:
                if not prepared:
                    self._prepare()
                    prepared = True
                taken = self._ingest.run_once(SHORT_POLL_SECONDS if until_empty else POLL_SECONDS)
                done += taken
                if until_empty and not taken and self._finished():
                    break
                pauses.reset()
                self._wrong.pop(STREAM, None)
            except UnavailableError as error:
                self._wrong[STREAM] = f"the stream is not taken in: {error.message}"
                _log.warning("the stream is not taken in for now: %s", error.message)
                self.stop.wait(pauses.next())
            if until_empty and not self._ingest.source.assigned() and time.monotonic() > joined_by:
                raise self._left_out()
        return done

    def _left_out(self) -> UnavailableError:
        """Return why no partition was given to this worker."""
        words = f"no partition was given to this worker within {JOIN_SECONDS:g} s"
        wrong = self._wrong.get(STREAM)
        if wrong:
            return UnavailableError(f"{words}: {wrong}", field="kafka_url")
        return UnavailableError(f"{words}: others of its group have them all", field="kafka_group")

    def _finished(self) -> bool:
        """Whether the stream is at its end and the tasks are done."""
        if not self._ingest.is_empty():
            return False
        if self._ingest.leads():
            for task in self._tasks.values():
                task.flush(self.stop.is_set)
        return True

    def _started(self, name: str) -> Thread:
        thread = Thread(target=self._repeat, args=(name,), name=f"foretaste-{name}", daemon=True)
        thread.start()
        return thread

    def _repeat(self, name: str) -> None:
        pauses = Pauses(self._jitter)
        while not self.stop.is_set():
            pause = IDLE_SECONDS
            if not self._ingest.leads():
                self._wrong.pop(name, None)
            else:
                try:
                    pause = 0.0 if self._tasks[name].run_once(self.stop.is_set) else IDLE_SECONDS
                    pauses.reset()
                    self._wrong.pop(name, None)
                except UnavailableError as error:
                    self._wrong[name] = f"{name} waits: {error.message}"
                    pause = pauses.next()
                    _log.warning("%s waits for %.1f s: %s", name, pause, error.message)
                except Exception as error:  # noqa: BLE001 # health must not call a task well that ended
                    self._wrong[name] = f"{name} is given up until a new start: {error}"
                    _log.exception("%s is given up until the worker is started again", name)
                    return
            self.stop.wait(pause)


class Pauses:
    """Pauses that double up to a bound, each shortened at random so that not everyone comes back at once."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._length = FIRST_PAUSE

    def next(self) -> float:
        """Return how many seconds to wait now."""
        length, self._length = self._length, min(self._length * 2, LONGEST_PAUSE)
        return length * (0.5 + self._jitter() / 2)

    def reset(self) -> None:
        """Begin with short pauses again."""
        self._length = FIRST_PAUSE
