"""How one answer came about: its stages with their times, and with the candidates in and out."""

import os
import time
from collections.abc import Callable

import msgspec

from foretaste.pipeline.timekeeping import UNHURRIED, Hurried, Timekeeper, Watching

MILLISECONDS = 1000.0
Clock = Callable[[], float]


class StageSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of an answer: a source by its name, or what comes before and after the sources."""

    stage: str
    milliseconds: float
    candidates_in: int
    candidates_out: int


class Debug(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer came about in the process `pid`.

    It knew the log up to `state_seq`. It took `milliseconds`, of which it waited for the latest events, for
    the cache and for its turn `waiting`, before its `stages` began; `budget` is what it was allowed, null
    without one. An answer from the cache has no stages.
    """

    pid: int
    state_seq: int
    milliseconds: float
    waiting: float
    budget: float | None
    stages: tuple[StageSeen, ...]


class Watch:
    """Watches one answer from its beginning on; `clock` counts seconds."""

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._began = clock()
        self._latest: Watching | None = None

    def watched(self, keeper: Timekeeper) -> Timekeeper:
        """Return a timekeeper that is watched; where several answers are tried, the last one is told of."""
        self._latest = Watching(keeper, self._clock)
        return self._latest

    def seen(self, state_seq: int, seconds: float | None) -> Debug:
        """Return what was seen until now of an answer that was allowed `seconds`."""
        now, seen = self._clock(), self._latest
        first = now if seen is None else seen.began[0][1]
        return Debug(
            pid=os.getpid(),
            state_seq=state_seq,
            milliseconds=_milliseconds(now - self._began),
            waiting=_milliseconds(first - self._began),
            budget=None if seconds is None else _milliseconds(seconds),
            stages=() if seen is None else _stages(seen),
        )


def keeping(
    began: float, seconds: float | None, watch: Watch | None = None, clock: Clock = time.perf_counter
) -> Callable[[], Timekeeper] | None:
    """Return what makes the timekeeper of an answer that `began` then, None where it needs none."""
    if watch is not None:
        return lambda: watch.watched(UNHURRIED if seconds is None else Hurried(began, seconds, clock))
    return None if seconds is None else lambda: Hurried(began, seconds, clock)


def _stages(seen: Watching) -> tuple[StageSeen, ...]:
    ends = [*(began for _, began in seen.began[1:]), seen.ended]
    return tuple(
        StageSeen(
            stage=stage,
            milliseconds=_milliseconds(end - began),
            candidates_in=seen.flow.get(stage, (0, 0))[0],
            candidates_out=seen.flow.get(stage, (0, 0))[1],
        )
        for (stage, began), end in zip(seen.began, ends, strict=True)
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * MILLISECONDS, 4)
