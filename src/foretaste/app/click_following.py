"""What was shown and clicked since training: counted anew while a model serves, so that its ranker knows."""

import logging
from collections.abc import Callable, Iterable, Iterator
from threading import Event, Lock, Thread

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.clock import Clock, system_clock
from foretaste.domain.errors import UnavailableError
from foretaste.domain.slate import ClickEdition, Exposure
from foretaste.events.weights import EventWeights, weigh
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.fresh_clicks import FreshClicks
from foretaste.ranking.slate_ranker import SlateRanker
from foretaste.serving.live import Live
from foretaste.training.click_log import ClickLog

SETTLE_SECONDS = 5.0
"""After so long every process has stored what it showed."""
LOOK_SECONDS = 1.0
CHUNK = 100_000
AT_ONCE, REST_SECONDS = 256, 0.005
"""After so many slates the processor is left to who answers."""

Pause = Callable[[float], bool]
"""Wait so many seconds; return whether to end."""
Past = Callable[[Artifact | None, ClickEdition | None], FreshClicks | None]
_log = logging.getLogger(__name__)


class _Counting:
    """What was brought so far of what was shown and clicked since one ranker learnt."""

    def __init__(self, live: Live, weights: EventWeights, trained: SlateRanker, last_seq: int) -> None:
        self.trained = trained
        self.until = trained.knowledge.until
        """Of the last edition; before the first, of what was learnt from."""
        self._live, self._weights = live, weights
        self._clicks = ClickLog()
        self._shown, self._heard = self.until, last_seq

    def is_beyond(self, edition: ClickEdition) -> bool:
        """Whether more was brought than is known by `edition`."""
        return edition.until < self._shown or edition.seq < self._heard

    def bring(self, edition: ClickEdition, pause: Pause) -> FreshClicks:
        """Return what is known by `edition`; editions rise."""
        if edition.until > self._shown:
            self._clicks.show(_gently(self._live.exposures.between(self._shown, edition.until), pause))
            self._shown = edition.until
        while self._heard < edition.seq:
            events = self._live.log.read(self._heard, min(CHUNK, edition.seq - self._heard))
            if not len(events):
                break
            types = self._live.id_map.names("type")
            self._clicks.hear(events, weigh(types, events.type, events.value, self._weights) > 0.0)
            self._heard = events.last_seq
            _rest(pause)
        people = self._live.id_map
        looks, clicks = self._clicks.counted(
            edition, self.trained.knowledge.look, lambda names: people.find("user", names)
        )
        self.until = edition.until
        return FreshClicks(edition, self.trained, self.trained.and_also(looks, clicks))


class ClickFollowing:
    """Counts again every so many `seconds`, 0 for never, what was shown and clicked since training.

    What is known by an edition is a function of exposures and log alone: other processes, and this one begun
    again, know the same, and `at` tells what was known by a past one. Slates count that were shown to a
    person for what they did as a whole; what a process stores more than `SETTLE_SECONDS` late does not.
    """

    def __init__(
        self, live: Live, *, seconds: float, weights: EventWeights, clock: Clock = system_clock
    ) -> None:
        self.fresh: FreshClicks | None = None
        self._live = live
        self._step = round(seconds * MICROS_PER_SECOND)
        self._weights = weights
        self._clock = clock
        self._counting: _Counting | None = None
        self._refreshing = Lock()
        self._closing = Event()
        self._thread: Thread | None = None

    def edition(self, artifact: Artifact | None, now: int) -> ClickEdition | None:
        """Return the edition of the moment `now`; None where this artifact's ranker knows none."""
        ranker = None if artifact is None else artifact.ranker
        if not self._step or ranker is None or not ranker.knowledge.until:
            return None
        until = self._end(now)
        if until <= ranker.knowledge.until:
            return None
        seq = self._live.state.seq
        return ClickEdition(until=until, seq=seq, people=len(self._live.id_map.names("user")))

    def at(self, artifact: Artifact | None, edition: ClickEdition | None) -> FreshClicks | None:
        """Return what the artifact's ranker knew by a past edition, counted anew; None for none."""
        fresh = self.fresh
        if fresh is not None and fresh.edition == edition and artifact and fresh.trained is artifact.ranker:
            return fresh
        return self.past()(artifact, edition)

    def past(self) -> Past:
        """Return what is like `at`, and reads on from one edition to the next where they rise."""
        counting: _Counting | None = None

        def at(artifact: Artifact | None, edition: ClickEdition | None) -> FreshClicks | None:
            nonlocal counting
            if edition is None or artifact is None or artifact.ranker is None:
                return None
            if counting is None or counting.trained is not artifact.ranker or counting.is_beyond(edition):
                counting = self._begun(artifact, artifact.ranker)
            self._live.exposures.flush()
            return counting.bring(edition, lambda _seconds: False)

        return at

    def refresh(self) -> bool:
        """Count up to the present edition, if it is a new one; return whether it was."""
        with self._refreshing:
            now, artifact = self._clock(), self._live.artifact
            if artifact is None or artifact.ranker is None or not self._step:
                return False
            counting, end = self._counting, self._end(now)
            if counting is None or counting.trained is not artifact.ranker or end < counting.until:
                counting = self._counting = self._begun(artifact, artifact.ranker)  # the clock may go back
            if end <= counting.until:
                return False
            edition = self.edition(artifact, now)
            if edition is None:
                return False
            self._live.exposures.flush()
            self._counting = None  # one that fails half-way is begun anew
            fresh = counting.bring(edition, self._closing.wait)
            self._counting = counting
            with self._live.state.lock:
                self.fresh = fresh
            return True

    def follow(self) -> None:
        """Refresh in the background until closed; once is enough."""
        if self._step and self._thread is None:
            self._thread = Thread(target=self._run, name="foretaste-clicks", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End what goes on in the background."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _end(self, now: int) -> int:
        return (now - round(SETTLE_SECONDS * MICROS_PER_SECOND)) // self._step * self._step

    def _begun(self, artifact: Artifact, ranker: SlateRanker) -> _Counting:
        return _Counting(self._live, self._weights, ranker, artifact.manifest.window.get("last_seq", 0))

    def _run(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001 - whatever fails, it is tried again
                if not self._closing.is_set():
                    _log.warning("new clicks cannot be counted, the ranker goes by those before: %s", error)


def _gently(exposures: Iterable[Exposure], pause: Pause) -> Iterator[Exposure]:
    """Yield exposures with a rest now and then; raise `UnavailableError` where it is time to end."""
    for number, exposure in enumerate(exposures, start=1):
        yield exposure
        if number % AT_ONCE == 0:
            _rest(pause)


def _rest(pause: Pause) -> None:
    if pause(REST_SECONDS):
        raise UnavailableError("this home is being closed; what was shown and clicked is not read on")
