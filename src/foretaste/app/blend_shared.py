"""The blend where several processes serve from one log: each learns, all serve what was agreed on."""

import logging
from collections import deque
from collections.abc import Callable
from threading import Lock

from foretaste.app.blend_records import Learnt, record_of
from foretaste.domain.clock import Clock
from foretaste.domain.errors import UnavailableError
from foretaste.domain.event import EventColumns
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.online_blend import OnlineBlend
from foretaste.ports.blend_store import SPAN, BlendRecord, BlendStore

ALWAYS = 2**62
Serve = Callable[[Artifact], object]
Told = Callable[[OnlineBlend], object]
Learner = Callable[[Told, Told], OnlineBlend]
"""Makes the fold that learns from whom it tells of its steps, and of its questions."""
_log = logging.getLogger(__name__)


class SharedBlend:
    """Serves `trained` with the blend that is agreed on for the place in the log where the state is.

    So the blend of an answer is a function of its model and its `state_seq`, whoever gives it and whenever
    they started. What this process learns it proposes; of several proposals the first is taken, and who
    proposed another takes over that one. A blend begins at a multiple of `SPAN` that no event is beyond, so
    the store is asked once for so many events, before they are let in.

    `serve` is called with each new blend while the state's lock is held.
    """

    def __init__(
        self,
        store: BlendStore,
        trained: Artifact,
        learner: Learner,
        serve: Serve,
        *,
        clock: Clock,
    ) -> None:
        self._store = store
        self._trained = trained
        self._serve = serve
        self._clock = clock
        self._steps = steps = deque[Learnt](maxlen=1)
        """What was learnt up to the last step, until taken over: the fold does not hold who holds it."""
        self._fold = learner(lambda fold: steps.append(Learnt.by(fold)), lambda _fold: None)
        self._state = self._fold.state
        self._learns = True
        self._asking = Lock()
        self._known_to = -1
        """Up to which state what serves is known; the next event may bring another blend."""
        self._known = 0
        """The number of the last record that is known, in force or to come."""
        self._base = self._agreed = Learnt.nothing(trained.blend.sources)
        """What the fold learns on from, and what the last known record says: the same once it is stored."""
        self._coming: list[BlendRecord] = []
        self._serving, self._number = trained, 0
        self._has_begun = False

    def prepare(self) -> None:
        """Ask the store what serves, and tell it that `trained` does; raise `UnavailableError`."""
        self._look(self._state.seq)
        with self._state.lock:
            self._settle()
        last = self._store.serving_at(ALWAYS)
        serves = (self._trained.version, self._serving.blend_version)
        if last is None or (last.artifact, last.blend_version) != serves:
            self._propose()
            self._look(self._state.seq)

    def begin(self) -> Artifact:
        """Return what serves now, as far as that is known; the caller holds the state's lock."""
        self._settle()
        self._has_begun = True
        return self._serving

    def apply(self, events: EventColumns) -> int:
        """Let events into the state, learn from some of them, and serve what is in force then."""
        if not len(events):
            return 0
        if events.last_seq > self._known_to:
            self._ask(events.last_seq)
        with self._state.lock:
            new = self._learn(events)
            self._settle()
        return new

    def is_known(self) -> bool:
        """Whether what serves is known; where it could not be learnt, ask again."""
        if self._state.seq <= self._known_to:
            return True
        self._ask(self._state.seq)
        with self._state.lock:
            self._settle()
            return self._state.seq <= self._known_to

    def _learn(self, events: EventColumns) -> int:
        if self._learns:
            try:
                return self._fold.apply(events)
            except Exception:  # noqa: BLE001 - whatever is wrong with learning must not stop the state
                _log.exception("this process learns no more of the blend, and serves what others learn")
                self._learns = False
            finally:
                if self._steps:
                    self._base = self._steps.pop()
        return self._state.apply(events)

    def _ask(self, seq: int) -> None:
        """Propose what was learnt and look what serves at `seq`, an event that the log has."""
        with self._asking:
            if seq <= self._known_to:
                return
            try:
                if self._base != self._agreed:
                    self._propose()
                self._look(seq)
            except UnavailableError as error:
                _log.warning("the blend stays as it is for now: %s", error.message)

    def _look(self, seq: int) -> None:
        self._coming = self._store.standing(self._trained.version, seq)
        self._known_to = -(-seq // SPAN) * SPAN

    def _propose(self) -> None:
        base = self._base
        serves = base.served_by(self._trained)
        self._store.agree(record_of(serves, self._known + 1, base, self._state.seq, self._clock()))

    def _settle(self) -> None:
        """Learn on from the last record, serve the one in force; the caller holds the state's lock."""
        coming = self._coming
        for record in coming:
            if record.number > self._known:
                self._known = record.number
                self._learn_on_from(Learnt.of(record, self._trained.blend.sources))
        begun = [record for record in coming if record.seq < self._state.seq]
        if not begun or begun[-1].number == self._number:
            return
        self._number = begun[-1].number
        serving = Learnt.of(begun[-1], self._trained.blend.sources).served_by(self._trained)
        if serving.blend_version != self._serving.blend_version:
            self._serving = serving
            if self._has_begun:
                self._serve(serving)

    def _learn_on_from(self, learnt: Learnt) -> None:
        """Take what a record says: nothing new, what was learnt here too, or what others learnt."""
        if learnt not in (self._agreed, self._base):
            learnt.teach(self._fold)
            self._base = learnt
        self._agreed = learnt
