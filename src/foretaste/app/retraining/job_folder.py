"""The records of jobs in a folder, and the lock that lets one run at a time."""

import fcntl
import logging
import os
import re
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident

import msgspec

from foretaste.app.retraining.job import Job, State, ended
from foretaste.domain.clock import Clock
from foretaste.domain.errors import BusyError, NotFoundError, UnavailableError
from foretaste.events.moments import format_moment

KEPT = 100
"""So many jobs are remembered."""

PATIENCE_SECONDS = 5.0
"""How long a lock is waited for whose job has ended, or is just being looked at."""

LOST = "the process that trained was killed, or the machine stopped"
_log = logging.getLogger(__name__)
_NAME = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}", re.ASCII)
_PAUSE_SECONDS = 0.02


class JobFolder:
    """Jobs in `folder`, one record each, seen by every process of the home.

    Whoever trains holds the lock for as long as its process lives. So a record that says `running` without
    its process holding the lock is one of a job that was interrupted, and `job` settles it as such. `models`
    is where jobs put what is not yet a version.
    """

    def __init__(self, folder: Path, models: Path, clock: Clock) -> None:
        self._folder = folder
        self._models = models
        self._clock = clock

    def jobs(self) -> list[Job]:
        """Return all jobs, the latest first."""
        return [self.job(name) for name in reversed(self._names())]

    def job(self, job_id: str) -> Job:
        """Return one job as it is now; raise `NotFoundError` where there is none such."""
        job = self._read(job_id)
        if not job.is_running or self.holder() == job_id:
            return job
        return self.settled(job_id)

    def note(self, job: Job, pid: int) -> None:
        """Write the record of a new job, and which process does it."""
        path = self._path(job.job_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name("pid").write_text(str(pid))
        self.write(job)

    def write(self, job: Job) -> None:
        """Replace the record of a job as a whole; once it has ended, durably."""
        path = self._path(job.job_id)
        partial = path.with_name(f".{os.getpid()}-{get_ident()}.partial")
        with partial.open("wb") as file:
            file.write(msgspec.json.encode(job))
            if not job.is_running:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)

    def settled(self, job_id: str, *, state: State = "interrupted", reason: str = LOST) -> Job:
        """Return a job whose process is gone; where its record says that it runs, it ends by `reason`.

        What it left half done is removed. A job that was to be cancelled is `cancelled`.
        """
        job = self._read(job_id)
        if job.is_running:
            if self.cancelled(job_id):
                state, reason = "cancelled", "cancelled by request"
            job = ended(job, state, at=format_moment(self._clock()), reason=reason)
            try:
                self.write(job)
            except OSError as error:  # whoever looks next settles it
                _log.warning("the end of job %s cannot be recorded yet: %s", job_id, error)
        shutil.rmtree(self.staging(job_id), ignore_errors=True)
        return job

    def staging(self, job_id: str) -> Path:
        """Return where a job puts what is not yet a version."""
        return self._models / f".job-{job_id}"

    def cancel(self, job_id: str) -> None:
        """Note that a job is to end."""
        self._path(job_id).with_name("cancel").touch()

    def cancelled(self, job_id: str) -> bool:
        """Return whether a job is to end."""
        return self._path(job_id).with_name("cancel").exists()

    def process_of(self, job_id: str) -> int:
        """Return which process does a job; it is that one for certain while `holder` names the job."""
        return int(self._path(job_id).with_name("pid").read_text())

    def holder(self) -> str | None:
        """Return the id of the job whose process is alive, None where there is none."""
        with self._opened() as descriptor:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return os.pread(descriptor, 64, 0).decode("ascii", "replace").strip()
        return None

    @contextmanager
    def alone(self, job_id: str) -> Iterator[int]:
        """Hold the lock for `job_id`; give its descriptor, which a child that inherits it holds on.

        Raises `BusyError` that names the job that runs.
        """
        with self._opened() as descriptor:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    running = self.holder()
                    if (running and not self._has_ended(running)) or time.monotonic() > deadline:
                        raise BusyError(
                            f"job {running or 'unknown'} is training; wait for it (GET /jobs/{running}) or "
                            f"cancel it (DELETE /jobs/{running})",
                            retry_after=10.0,
                        ) from None
                    time.sleep(_PAUSE_SECONDS)
            with self._writable():
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, job_id.encode(), 0)
            yield descriptor

    def trim(self, *, keep: Collection[str]) -> None:
        """Forget the oldest jobs where there are too many; those in `keep`, still waited for, stay."""
        for name in self._names()[:-KEPT]:
            if name not in keep:
                shutil.rmtree(self._folder / name, ignore_errors=True)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        with self._writable():
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._folder / "running", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _writable(self) -> Iterator[None]:
        """Say in words what the disk refuses."""
        try:
            yield
        except OSError as error:
            raise UnavailableError(
                f"{self._folder} cannot be written ({error.strerror}); give it room, or rights to it",
                field="home",
                retry_after=5.0,
            ) from error

    def _names(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(
            path.name
            for path in self._folder.iterdir()
            if _NAME.fullmatch(path.name) and (path / "job.json").is_file()
        )

    def _path(self, job_id: str) -> Path:
        return self._folder / job_id / "job.json"

    def _has_ended(self, job_id: str) -> bool:
        """Return whether a job is over; one that is just being begun has no record yet."""
        return self._path(job_id).is_file() and not self._read(job_id).is_running

    def _read(self, job_id: str) -> Job:
        if not _NAME.fullmatch(job_id) or not self._path(job_id).is_file():
            raise NotFoundError(f"no job is called {job_id[:64]!r}; GET /jobs lists those there are")
        return msgspec.json.decode(self._path(job_id).read_bytes(), type=Job)
