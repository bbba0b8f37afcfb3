"""Stages of an answer against the clock: which may still begin, and which are left out for being late."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

SECONDS = 0.1
"""So long an answer may take where nobody says how long."""

FILTERS, BLEND, RANKER, CHOICE = "filters", "blend", "ranker", "choice"
DIVERSITY, REASONS, EXPLANATION = "diversity", "reasons", "explanation"

Flow = Mapping[str, tuple[int, int]]
"""How many candidates went into a stage, and how many came out of it."""

_SOURCES = 0.6
_SHARES = {RANKER: 0.7, DIVERSITY: 0.8, REASONS: 0.9, EXPLANATION: 0.9}
"""Which share of the time may be used up when a stage begins; `_SOURCES` that of each source."""


class Timekeeper(Protocol):
    """Is told of each stage of one answer, in their order; a source is a stage called by its name."""

    @property
    def left_out(self) -> Sequence[str]:
        """What was late so far, in its order."""

    def begins(self, stage: str) -> None:
        """Take note that a stage begins which no answer can do without."""

    def late(self, stage: str) -> bool:
        """Take note that a stage begins; return whether it is to be left out."""

    def done(self, flow: Callable[[], Flow]) -> None:
        """Take note that the answer is made; `flow` says what went through its stages."""


class Unhurried:
    """Leaves nothing out."""

    left_out: Sequence[str] = ()

    def begins(self, stage: str) -> None:
        """See `Timekeeper`."""

    def done(self, flow: Callable[[], Flow]) -> None:
        """See `Timekeeper`."""

    def late(self, stage: str) -> bool:  # noqa: ARG002 - nothing is late
        """See `Timekeeper`."""
        return False


UNHURRIED = Unhurried()


class Hurried:
    """Leaves out what would begin too late in `seconds` of `clock` after `began`."""

    __slots__ = ("_began", "_clock", "_seconds", "left_out")

    def __init__(self, began: float, seconds: float, clock: Callable[[], float]) -> None:
        self._began = began
        self._seconds = seconds
        self._clock = clock
        self.left_out: list[str] = []

    def begins(self, stage: str) -> None:
        """See `Timekeeper`."""

    def done(self, flow: Callable[[], Flow]) -> None:
        """See `Timekeeper`."""

    def late(self, stage: str) -> bool:
        """See `Timekeeper`."""
        if self._clock() - self._began <= _SHARES.get(stage, _SOURCES) * self._seconds:
            return False
        self.left_out.append(stage)
        return True


class Repeating:
    """Leaves out what was left out once, so that a past answer is given again."""

    def __init__(self, left_out: Sequence[str]) -> None:
        self.left_out = left_out

    def begins(self, stage: str) -> None:
        """See `Timekeeper`."""

    def done(self, flow: Callable[[], Flow]) -> None:
        """See `Timekeeper`."""

    def late(self, stage: str) -> bool:
        """See `Timekeeper`."""
        return stage in self.left_out


class Watching:
    """Does as another timekeeper, and notes by `clock` when each stage began and what went through it."""

    def __init__(self, inner: Timekeeper, clock: Callable[[], float]) -> None:
        self._inner = inner
        self._clock = clock
        self.began = [(FILTERS, clock())]
        self.ended = self.began[0][1]
        self.flow: Flow = {}

    @property
    def left_out(self) -> Sequence[str]:
        """See `Timekeeper`."""
        return self._inner.left_out

    def begins(self, stage: str) -> None:
        """See `Timekeeper`."""
        self.began.append((stage, self._clock()))

    def late(self, stage: str) -> bool:
        """See `Timekeeper`."""
        late = self._inner.late(stage)
        if not late:
            self.begins(stage)
        return late

    def done(self, flow: Callable[[], Flow]) -> None:
        """See `Timekeeper`."""
        self.ended = self._clock()
        self.flow = flow()
