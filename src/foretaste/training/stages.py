"""How far training has come, and how long its stages took."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from foretaste.evaluation.judgement import Advance
from foretaste.training.config import Progress


class Stages:
    """Tells `progress` of each stage; `seconds` holds what each took."""

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Tell that a stage begins and ends, and take its time."""
        began = perf_counter()
        self._progress(name, 0.0)
        yield
        self._progress(name, 1.0)
        self.seconds[name] = round(perf_counter() - began, 3)

    def within(self, name: str, first: float = 0.0, last: float = 1.0) -> Advance:
        """Return what tells the progress of a part of a stage, from `first` to `last` of it."""
        return lambda share: self._progress(name, first + share * (last - first))
