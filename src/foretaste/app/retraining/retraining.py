"""Training jobs of a service: begun, watched, cancelled."""

import logging
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self

from foretaste.app.home import CHAMPION, Home
from foretaste.app.retraining.child import COMMAND, Child, end
from foretaste.app.retraining.job import REQUESTED, Job, TrainingOrder
from foretaste.app.retraining.job_folder import JobFolder
from foretaste.app.retraining.process import ABANDONED, Task
from foretaste.app.retraining.schedule import Schedule, Trained
from foretaste.app.stores import models_directory
from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.clock import Clock, system_clock
from foretaste.domain.errors import BusyError, ForetasteError, NoModelError, UnavailableError
from foretaste.events.moments import format_moment, parse_moment

LOOK_SECONDS = 15.0
"""How often the schedule is looked at."""

GRACE_SECONDS = 8.0
"""How long a process that is told to end may take."""

PUBLISH_SECONDS = 60.0
"""How much longer where it publishes: a model that is being published is not killed."""

_PAUSE_SECONDS = 0.05
_log = logging.getLogger(__name__)


class Retraining:
    """The jobs of one home, each in a process of its own, one at a time.

    Any process that has the home may begin, see and cancel them. A job ends with the service that began it.
    In a service in memory there are none: `begin` raises `NoModelError`. `command` is what trains;
    where it is told to end and takes longer than `grace` seconds, it is killed.
    """

    def __init__(
        self,
        home: Home,
        *,
        clock: Clock = system_clock,
        command: Sequence[str] = COMMAND,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._home = home
        self._grace = grace
        self._clock = clock
        self._command = command
        self._closing = Event()
        self._changing = Lock()
        self._children: dict[str, Child] = {}
        self._threads: list[Thread] = []
        self._path, self._folder = _folder(home, clock)

    def jobs(self) -> list[Job]:
        """Return all jobs that are remembered, the latest first."""
        return self._folder.jobs() if self._folder else []

    def job(self, job_id: str) -> Job:
        """Return one job as it is now; raise `NotFoundError` where there is none such."""
        return self._needed().job(job_id)

    def begin(self, order: TrainingOrder | None = None, *, cause: str = REQUESTED) -> Job:
        """Begin to train and return the job.

        Raises `BusyError` while another one runs, and `UnavailableError` where its record cannot be written.
        """
        folder = self._needed()
        now = self._clock()
        moment = datetime.fromtimestamp(now // MICROS_PER_SECOND, UTC)
        job = Job(
            job_id=f"{moment:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
            state="running",
            cause=cause,
            created_at=format_moment(now),
            state_seq=self._home.log.last_seq(),
            order=order or TrainingOrder(),
        )
        task = Task(
            directory=str(self._home.directory),
            jobs=str(self._path),
            job_id=job.job_id,
            settings=self._home.settings,
        )
        with self._changing, folder.alone(job.job_id) as lock:
            folder.trim(keep=self._children)
            child = self._child(job, lock)
            self._children[job.job_id] = child
            child.tell(task)
        self._start("foretaste-job", self._watch, job.job_id, child)
        return job

    def cancel(self, job_id: str) -> Job:
        """End a job and return it as it ended; one that has ended stays as it is.

        Nothing half done is left. What is being published just now is published: it ends `succeeded`.
        """
        folder = self._needed()
        job = folder.job(job_id)
        if not job.is_running:
            return job
        folder.cancel(job_id)
        end(folder.process_of(job_id), kill=False)
        return self._ended(job_id)

    def follow(self, seconds: float = LOOK_SECONDS) -> None:
        """Train when the settings say so, looking every `seconds`, in the background, until closed."""
        settings = self._home.settings
        schedule = Schedule(hours=settings.retrain_hours, events=settings.retrain_events)
        if schedule.is_set and self._folder is not None:
            self._start("foretaste-schedule", self._run, schedule, seconds)

    def close(self) -> None:
        """End the jobs that were begun here: they are interrupted. Closing twice is fine."""
        self._closing.set()
        with self._changing:
            children = dict(self._children)
        for child in children.values():
            child.leave()
        for job_id in children:
            self._ended(job_id)
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _needed(self) -> JobFolder:
        if self._folder is None:
            raise NoModelError("this service is in memory and trains nothing; serve a home for that")
        return self._folder

    def _child(self, job: Job, lock: int) -> Child:
        """Return the process of a job, noted beside its record."""
        child = Child(self._command, lock)
        try:
            self._needed().note(job, child.pid)
        except OSError as error:
            end(child.pid, kill=True)
            child.wait()
            raise UnavailableError(
                f"{self._path} cannot be written ({error.strerror}); give it room, or rights to it",
                field="home",
            ) from error
        return child

    def _start(self, name: str, work: Any, *arguments: Any) -> None:
        thread = Thread(target=work, args=arguments, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _watch(self, job_id: str, child: Child) -> None:
        """Wait for a process of ours, settle its job, and let the new model serve at once."""
        killed = child.wait()
        if killed is None or self._closing.is_set():
            job = self._needed().settled(job_id, reason=ABANDONED)
        else:
            job = self._needed().settled(job_id, state="failed", reason=killed)
        with self._changing:
            self._children.pop(job_id, None)
        self._home.telemetry.count("retrain_jobs_total", state=job.state)
        if job.state == "succeeded" and not self._closing.is_set():
            try:
                self._home.refresh()
            except (ForetasteError, OSError) as error:
                _log.warning("the new model cannot be taken, the old one goes on: %s", error)

    def _ended(self, job_id: str) -> Job:
        """Return a job that was told to end once it has; its process is killed where it takes too long."""
        folder = self._needed()
        process = folder.process_of(job_id)
        deadline = time.monotonic() + self._grace
        while folder.holder() == job_id:
            more = PUBLISH_SECONDS if folder.job(job_id).stage == "publish" else 0.0
            if time.monotonic() > deadline + more:
                end(process, kill=True)
            time.sleep(_PAUSE_SECONDS)
        return folder.settled(job_id, reason=ABANDONED)

    def _run(self, schedule: Schedule, seconds: float) -> None:
        while not self._closing.wait(seconds):
            try:
                cause = schedule.due(self._trained(), last_seq=self._home.log.last_seq(), now=self._clock())
                if cause is not None:
                    self.begin(cause=cause)
            except BusyError:
                continue
            except (ForetasteError, OSError) as error:
                _log.warning("training on schedule did not begin: %s", error)

    def _trained(self) -> Trained:
        """Return when, and up to which event, was trained last, by whomever."""
        registry = self._home.registry
        champion = None if registry is None else registry.aliases().get(CHAMPION)
        at, seq = 0, 0
        for manifest in [] if registry is None else registry.versions():
            if manifest.version == champion:
                at, seq = manifest.created_at, manifest.window.get("last_seq", 0)
        for job in self.jobs()[:1]:
            at, seq = max(at, parse_moment(job.created_at)), max(seq, job.state_seq)
        return Trained(at=at, seq=seq)


def _folder(home: Home, clock: Clock) -> tuple[Path, JobFolder | None]:
    """Return where the jobs of a home are; in memory there are none."""
    if home.directory is None or home.registry is None:
        return Path(), None
    models = models_directory(home.directory, home.settings)
    path = models.parent / "jobs"
    return path, JobFolder(path, models, clock)
