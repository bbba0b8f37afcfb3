"""Who starts the processes of a service, replaces those that die, and ends them in order."""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from foretaste.app.processes.order import Order, Role
from foretaste.app.processes.page import SharedPage

LOOK_SECONDS: Final = 0.05
"""How often processes are looked at, beside at once when one ends."""
READER_SECONDS: Final = 15.0
"""How long a reader may take to answer what it took, when the service ends; then it is killed."""
KEEPER_SECONDS: Final = 120.0
"""How long the keeper may take after them; what was accepted is on disk since then, and is read again."""
YOUNG_SECONDS: Final = 5.0
SHORTEST_PAUSE: Final = 0.05
LONGEST_PLACE: Final = 64
"""So long may the path of the folder be in which processes meet: sockets have names of 103 bytes at most."""
SHORT_PLACE: Final = "/tmp"  # noqa: S108 # the folder in it is made by `mkdtemp`, for us alone
LONGEST_PAUSE: Final = 5.0
"""Pauses before a process is started again that died young: doubled each time."""


class Plan(msgspec.Struct, frozen=True, kw_only=True, tag="plan"):
    """A service of `workers` processes that share the socket `listener`, over the home of files in `home`.

    `shared` is for a home behind PostgreSQL: every process is a replica, and there is no keeper. `address` is
    said when the service is ready.
    """

    home: str
    listener: int
    workers: int
    address: str
    shared: bool = False
    worker: bool | None = None
    as_json: bool = False


@dataclass(slots=True)
class Child:
    """One process and what became of it."""

    order: Order
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    pause: float = SHORTEST_PAUSE


@dataclass(slots=True)
class Service:
    """The processes of one service while it runs."""

    plan: Plan
    page: SharedPage
    folder: Path
    lifeline: tuple[int, int]
    children: list[Child] = field(default_factory=list)
    is_ready: bool = False
    failed: int = 0

    def look(self, now: float) -> None:
        """Start who should run and does not; note who ended."""
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._ended(child, now)
            if child.process is None and now >= child.due and self._may_start(child):
                self._start(child, now)
        if not self.is_ready and self._all_answer():
            self.is_ready = True
            _announce(self.plan)

    def end(self) -> None:
        """Let the readers answer what they took, then let the keeper store what it knows."""
        readers = [child for child in self.children if child.order.role != "keeper"]
        _told_to_end(readers)
        _waited_for(readers, READER_SECONDS)
        keepers = [child for child in self.children if child.order.role == "keeper"]
        _told_to_end(keepers)
        _waited_for(keepers, KEEPER_SECONDS)

    def _may_start(self, child: Child) -> bool:
        """Let the first one begin alone: kernels are then compiled once, and the home is there for others."""
        first_is_there = bool(self.page.answering() if self.plan.shared else self.page.keeper)
        return self.is_ready or first_is_there or child is self.children[0]

    def _all_answer(self) -> bool:
        if not self.plan.shared and not self.page.keeper:
            return False
        return len(self.page.answering()) == self.plan.workers

    def _start(self, child: Child, now: float) -> None:
        written = msgspec.json.encode(child.order).decode()
        child.process = subprocess.Popen(  # noqa: S603 # this very package
            [sys.executable, "-m", "foretaste.app.processes", written],
            pass_fds=(child.order.listener, child.order.lifeline),
            process_group=0,  # Ctrl-C reaches the supervisor alone, which ends the others in order
        )
        child.started = now

    def _ended(self, child: Child, now: float) -> None:
        order = child.order
        code = child.process.returncode if child.process is not None else 0
        child.process = None
        if order.role == "keeper":
            self.page.keeper = 0
        else:
            self.page.vacate(order.slot)
        if not self.is_ready and code > 0:
            self.failed = code
            return
        young = now - child.started < YOUNG_SECONDS
        child.pause = min(child.pause * 2, LONGEST_PAUSE) if young else SHORTEST_PAUSE
        child.due = now + (child.pause if young else 0.0)
        sys.stderr.write(f"foretaste: {order.name} ended ({code}); it is started again\n")


def supervise(plan: Plan) -> int:
    """Run the service until SIGTERM, SIGINT or SIGHUP; return the exit code.

    If a process cannot begin in the first place the service ends with its exit code.
    """
    folder = meeting_place()
    lifeline = os.pipe()
    page = SharedPage.create(folder / "page")
    page.wanted = plan.workers
    service = Service(plan, page, folder, lifeline)
    service.children = [Child(order) for order in _orders(plan, folder, lifeline[0])]
    try:
        with _signals() as (wake, stopped):
            while not stopped() and not service.failed:
                service.look(time.monotonic())
                with suppress(InterruptedError):
                    if select.select([wake], [], [], LOOK_SECONDS)[0]:
                        os.read(wake, 4096)
            os.close(plan.listener)
            service.end()
    finally:
        os.close(lifeline[1])
        shutil.rmtree(folder, ignore_errors=True)
    return service.failed


def meeting_place() -> Path:
    """Make a folder for the page and the sockets: in `TMPDIR`, unless its path is too long for those."""
    usual = tempfile.gettempdir()
    fits = len(os.fsencode(usual)) <= LONGEST_PLACE
    return Path(tempfile.mkdtemp(prefix="foretaste-", dir=usual if fits else SHORT_PLACE))


def _orders(plan: Plan, folder: Path, lifeline: int) -> list[Order]:
    """Return who is to run, whoever goes first at the head."""

    def order(role: Role, slot: int) -> Order:
        leads = role == "keeper" or (role == "replica" and slot == 0)
        return Order(
            role=role,
            slot=slot,
            home=plan.home,
            folder=str(folder),
            listener=plan.listener,
            lifeline=lifeline,
            worker=plan.worker if leads else False,
            as_json=plan.as_json,
        )

    if plan.shared:
        return [order("replica", slot) for slot in range(plan.workers)]
    return [order("keeper", 0), *(order("reader", slot) for slot in range(plan.workers))]


@contextmanager
def _signals() -> Iterator[tuple[int, Callable[[], bool]]]:
    """Give what becomes readable at every signal, and whether the service was told to end."""
    told: list[int] = []
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: told.append(received))
    yield reading, lambda: bool(told)


def _told_to_end(children: list[Child]) -> None:
    for child in children:
        if child.process is not None:
            child.process.terminate()


def _waited_for(children: list[Child], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
            sys.stderr.write(f"foretaste: {child.order.name} did not end within {seconds:g} s; killed\n")


def _announce(plan: Plan) -> None:
    if plan.as_json:
        said = msgspec.json.encode({"step": "serving", "address": plan.address}).decode()
    else:
        said = f"serving on {plan.address} with {plan.workers} workers; Ctrl-C stops it"
    sys.stderr.write(said + "\n")
