"""The process of one job: `python -m foretaste.app.retraining.process`, told what to do on standard input.

It ends where standard input does: so a job never outlives the service that began it, however that ends.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import msgspec
from threadpoolctl import threadpool_limits

from foretaste.app.learning import train_home
from foretaste.app.retraining.job import Job, State, advanced, ended
from foretaste.app.retraining.job_folder import JobFolder
from foretaste.app.settings import Settings
from foretaste.app.stores import models_directory
from foretaste.app.wiring import open_home
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import ForetasteError
from foretaste.evaluation.figures import written
from foretaste.events.moments import format_moment
from foretaste.training.report import TrainReport

NICENESS = 10
"""Answers go before training."""

EVERY_SECONDS = 0.5
"""How often progress within a stage is written down."""

ABANDONED = "the service that ran it was stopped"
STOPPED = "the process that trained was told to end"
_log = logging.getLogger("foretaste.retraining")


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to do."""

    directory: str
    jobs: str
    job_id: str
    settings: Settings


class Stop(BaseException):
    """Raised where training is when it is to end; no model's failure, so nothing catches it as one."""


class Told:
    """Writes down how far a job has come; from the publishing on, it is not to be stopped any more."""

    def __init__(self, folder: JobFolder, job: Job, hold: Callable[[], object]) -> None:
        self.job = job
        self._folder = folder
        self._hold = hold
        self._began: dict[str, float] = {}
        self._written = 0.0

    def __call__(self, stage: str, share: float) -> None:
        """Note that `share` of `stage` is done."""
        now = monotonic()
        is_new = stage not in self._began
        began = self._began.setdefault(stage, now)
        if stage == "publish":
            self._hold()
        seconds = round(now - began, 3) if share >= 1.0 else None
        at = format_moment(system_clock())
        self.job = advanced(self.job, stage, share, at=at, seconds=seconds)
        if is_new or seconds is not None or now - self._written >= EVERY_SECONDS:
            self._written = now
            self._folder.write(self.job)


def main() -> int:
    """Do the job that the first line of standard input says; nothing where there is none."""
    told = first_line()
    if not told:
        return 1
    task = msgspec.json.decode(told, type=Task)
    models = models_directory(Path(task.directory), task.settings)
    folder = JobFolder(Path(task.jobs), models, system_clock)
    why = Reason()
    signal.signal(signal.SIGTERM, why.stop)
    os.nice(NICENESS)
    Thread(target=why.watch, name="foretaste-service", daemon=True).start()
    progress = Told(folder, folder.job(task.job_id), why.hold)
    try:
        report = trained(task, folder.staging(task.job_id), progress)
    except Stop:
        folder.settled(task.job_id, reason=why.words)
    except ForetasteError as error:
        folder.settled(task.job_id, state="failed", reason=error.message)
    except Exception as error:  # noqa: BLE001 - whatever fails is told to who asked
        _log.exception("training failed")
        folder.settled(task.job_id, state="failed", reason=f"{type(error).__name__}: {error}")
    else:
        folder.write(finished(progress.job, report))
        folder.settled(task.job_id)
    return 0


def first_line() -> bytes:
    """Return the first line of standard input, nothing where that ends before."""
    told = b""
    while not told.endswith(b"\n"):
        more = os.read(sys.stdin.fileno(), 65_536)
        if not more:
            return b""
        told += more
    return told


class Reason:
    """Why the process is to end; nothing before it is told."""

    def __init__(self) -> None:
        self.words = STOPPED
        self._is_held = False

    def stop(self, *_: Any) -> None:
        """Raise `Stop` in the main thread, unless the end is near: a signal's handler."""
        if not self._is_held:
            raise Stop

    def hold(self) -> None:
        """Stop no more."""
        self._is_held = True

    def watch(self) -> None:
        """Stop when standard input ends."""
        while os.read(sys.stdin.fileno(), 4096):
            pass
        self.words = ABANDONED
        os.kill(os.getpid(), signal.SIGTERM)


def trained(task: Task, staging: Path, told: Told) -> TrainReport:
    """Train as `foretaste train` does."""
    order = told.job.order
    threadpool_limits(limits=1, user_api="blas")
    with open_home(Path(task.directory), settings=task.settings, read_only=True, with_model=False) as home:
        return train_home(
            home,
            seed=order.seed,
            effort=order.effort,
            publish=order.publish,
            remember=not order.fresh,
            staging=staging,
            progress=told,
        )


def finished(job: Job, report: TrainReport) -> Job:
    """Return a job whose training came to its end."""
    state: State = "succeeded" if report.gate.passed else "refused"
    done = ended(job, state, at=format_moment(system_clock()))
    return msgspec.structs.replace(
        done,
        reason=None if report.gate.passed else report.gate.words,
        model_version=report.version,
        decision=report.gate.words,
        metrics=report.metrics,
        report=written(report),
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    code = main()
    sys.stderr.flush()
    os._exit(code)  # all is written; taking the interpreter down would keep the lock for a while
