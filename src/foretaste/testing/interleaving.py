"""Threads that take turns at random, on a simulated clock: the same order for the same seed."""

from collections.abc import Callable
from random import Random
from threading import Semaphore, Thread


class _Ended(BaseException):
    """Raised inside a task when the run is over."""


class _Task:
    def __init__(self, work: Callable[[], None], random: Random) -> None:
        self.turn = Semaphore(0)
        self.back = Semaphore(0)
        self.wake = 0.0
        self.random = random
        self.is_done = False
        self.error: BaseException | None = None
        self._work = work
        self.thread = Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.turn.acquire()
        try:
            self._work()
        except _Ended:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to whoever runs the tasks
            self.error = error
        self.is_done = True
        self.back.release()


class Interleaver:
    """Runs tasks, one step of one task at a time, in an order drawn by `random`.

    A step ends where the task calls `pause` or `wait`; in between it is alone. `clock` reads simulated
    seconds; a step takes up to `step_seconds`, and at one pause in `stall_every` the task stalls for up to
    `stall_seconds`.
    """

    def __init__(
        self,
        random: Random,
        *,
        step_seconds: float = 0.002,
        stall_every: int = 100,
        stall_seconds: float = 1.5,
    ) -> None:
        self.random = random
        self._now = 0.0
        self._step = step_seconds
        self._stall_every = stall_every
        self._stall = stall_seconds
        self._tasks: list[_Task] = []
        self._current: _Task | None = None
        self._over = False

    def clock(self) -> float:
        """Return the simulated time in seconds."""
        return self._now

    def spawn(self, work: Callable[[], None]) -> None:
        """Add a task."""
        task = _Task(work, self.random)
        self._tasks.append(task)
        task.thread.start()

    def pause(self) -> None:
        """Let others go on; a task calls it before and after all that others can see."""
        stalls = self.random.randrange(self._stall_every) == 0
        self.wait(self.random.uniform(0.0, self._stall) if stalls else 0.0)

    def wait(self, seconds: float) -> None:
        """Let others go on for at least so long."""
        task = self._current
        if task is None:
            raise RuntimeError("only a task may wait")
        task.wake = self._now + seconds
        task.back.release()
        task.turn.acquire()
        if self._over:
            raise _Ended

    def run(self, *, until: float) -> None:
        """Take turns until the simulated time; raise what a task raised."""
        try:
            while self._now < until and (alive := [task for task in self._tasks if not task.is_done]):
                ready = [task for task in alive if task.wake <= self._now]
                if not ready:
                    self._now = min(task.wake for task in alive)
                    continue
                self._now += self.random.uniform(0.0, self._step)
                self._give_turn(self.random.choice(ready))
        finally:
            self._over = True
            for task in self._tasks:
                while not task.is_done:
                    self._give_turn(task)
                task.thread.join()

    def _give_turn(self, task: _Task) -> None:
        self._current = task
        task.turn.release()
        task.back.acquire()
        self._current = None
        if task.error is not None:
            error, task.error = task.error, None
            raise error
