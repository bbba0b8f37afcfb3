"""What commands say: results on standard output, progress and steps on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from foretaste.evaluation.figures import written

EVERY_SECONDS = 2.0


class Advance:
    """Takes how far the work has come; draws a bar on a terminal, writes a JSON line elsewhere."""

    def __init__(self, step: str, total: int | None, bar: Progress | None) -> None:
        self._step = step
        self._total = total
        self._done = 0
        self._next = time.monotonic() + EVERY_SECONDS
        self._bar = bar
        self._task = bar.add_task(step, total=total) if bar else None

    def __call__(self, amount: int = 1) -> None:
        """Note that `amount` more is done."""
        self._done += amount
        if self._bar and self._task is not None:
            self._bar.advance(self._task, amount)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_SECONDS
            log_line(step=self._step, done=self._done, total=self._total)


class StageLines:
    """Writes a JSON line when a stage is done."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._done: set[str] = set()

    def __call__(self, stage: str, share: float) -> None:
        """Note that `share` of `stage` is done."""
        began = self._began.setdefault(stage, time.monotonic())
        if share >= 1.0 and stage not in self._done:
            self._done.add(stage)
            log_line(step=stage, seconds=round(time.monotonic() - began, 2))


class Screen:
    """Where a command writes. With `as_json` the result is one JSON document, else readable text."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = Console(highlight=False, soft_wrap=False, markup=False, emoji=False)
        self._error = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self.interactive = self._error.is_terminal and not as_json

    def result(self, value: Any, readable: RenderableType) -> None:
        """Write the result: `value` as JSON for scripts, else `readable`."""
        if self.as_json:
            sys.stdout.write(msgspec.json.encode(written(value), order="sorted").decode() + "\n")
            sys.stdout.flush()
        else:
            self._out.print(readable, soft_wrap=isinstance(readable, str | Text))

    def say(self, words: str) -> None:
        """Say something on the way; a script hears nothing."""
        if not self.as_json:
            self._error.print(Text(words), soft_wrap=True)

    def show(self, readable: RenderableType) -> None:
        """Show something on the way that is more than words; a script sees nothing."""
        if not self.as_json:
            self._error.print(readable)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Say that a step is done, and how long it took."""
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        if self.interactive:
            self._error.print(Text(f"✓ {name}", style="green"), Text(f"{took:.1f} s", style="dim"))
        else:
            log_line(step=name, seconds=round(took, 2))

    @contextmanager
    def stages(self) -> Iterator[Callable[[str, float], None]]:
        """Show the stages of a long piece of work: gives what to call with a stage and its share done."""
        if not self.interactive:
            yield StageLines()
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._error) as bar:
            tasks: dict[str, TaskID] = {}

            def told(stage: str, share: float) -> None:
                if stage not in tasks:
                    tasks[stage] = bar.add_task(stage, total=1.0)
                bar.update(tasks[stage], completed=share)

            yield told

    @contextmanager
    def progress(self, name: str, total: int | None = None) -> Iterator[Advance]:
        """Show how far a long piece of work has come."""
        if not self.interactive:
            yield Advance(name, total, None)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._error, transient=True) as bar:
            yield Advance(name, total, bar)


def log_line(**fields: Any) -> None:
    """Write one structured line to standard error, without the fields that are None."""
    told = {name: value for name, value in fields.items() if value is not None}
    sys.stderr.write(msgspec.json.encode({"time": round(time.time(), 3), **told}).decode() + "\n")
