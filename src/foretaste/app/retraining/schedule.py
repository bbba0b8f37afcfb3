"""When to train without being asked."""

from dataclasses import dataclass

from foretaste.domain.arrays import MICROS_PER_SECOND

_HOUR = 3_600 * MICROS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Trained:
    """The latest training: when it began, in microseconds UTC (0: never), and the log's last event then."""

    at: int
    seq: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Every so many `hours`, and after so many new `events`; None: not for this reason."""

    hours: float | None = None
    events: int | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is anything to wait for."""
        return self.hours is not None or self.events is not None

    def due(self, trained: Trained, *, last_seq: int, now: int) -> str | None:
        """Return why to train now, None where there is no reason.

        The latest training counts whatever became of it: what failed or was refused is not tried again at
        once. Without a new event there is nothing to learn.
        """
        new = last_seq - trained.seq
        if new <= 0:
            return None
        if self.events is not None and new >= self.events:
            return f"{new:,} new events"
        if self.hours is not None and now - trained.at >= self.hours * _HOUR:
            return f"every {self.hours:g} hours"
        return None
