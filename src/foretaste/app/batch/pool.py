"""Processes that answer parts of a batch, and end as soon as nobody waits for them any more."""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

import msgspec
from threadpoolctl import threadpool_limits

from foretaste.app.batch.answering import PartAnswerer
from foretaste.app.batch.parts import Parts
from foretaste.app.batch.plan import BatchManifest
from foretaste.app.slates import slate_frame
from foretaste.app.wiring import open_home
from foretaste.domain.errors import UnavailableError

Waiting = Sequence[tuple[int, Sequence[str]]]
"""Numbers of parts that are not there, each with its people."""


def answered_by_several(
    directory: Path, folder: Path, manifest: BatchManifest, waiting: Waiting, count: int
) -> Iterator[int]:
    """Answer the parts that are waiting in `count` processes; yield how many people each had.

    However this ends, `kill -9` included, the processes end with it, in the middle of what they do: parts are
    there as a whole or not at all. Raises `UnavailableError` where one of them was ended by somebody else.
    """
    context = multiprocessing.get_context("spawn")
    lifeline, held = context.Pipe(duplex=False)
    begin = (lifeline, str(directory), str(folder), msgspec.json.encode(manifest))
    with (
        held,
        lifeline,
        ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=begin) as pool,
    ):
        others = set(multiprocessing.active_children())
        try:
            with _deaf_to_interrupts():
                parts = [pool.submit(_work, number, users) for number, users in waiting]
            yield from _done(parts)
        except BaseException:
            for process in set(multiprocessing.active_children()) - others:
                process.kill()
            raise


def write_part(worker: PartAnswerer, parts: Parts, number: int, users: Sequence[str]) -> int:
    """Answer a part and write it; return how many people it had."""
    answered = worker.answer(number, users)
    parts.write(number, slate_frame(answered.slates), answered.failed)
    return len(users)


def _done(parts: Sequence["Future[int]"]) -> Iterator[int]:
    try:
        for part in as_completed(parts):
            yield part.result()
    except BrokenProcessPool as error:
        raise UnavailableError(
            "a process that answered was killed; the memory may have run out. "
            "Run the same command again to go on, with fewer --processes"
        ) from error


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let processes begin that no Ctrl-C reaches: whoever began them hears it, and ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_WORKERS: list[tuple[PartAnswerer, Parts]] = []
"""What this process answers with, where it is one of several."""


def _begin(lifeline: Connection, directory: str, folder: str, manifest: bytes) -> None:
    Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    threadpool_limits(limits=1, user_api="blas")
    told = msgspec.json.decode(manifest, type=BatchManifest)
    home = open_home(Path(directory), read_only=True)
    _WORKERS.append((PartAnswerer(home, told), Parts(Path(folder), told)))


def _end_with(lifeline: Connection) -> None:
    """End this process when the other end of `lifeline` is closed."""
    lifeline.poll(None)
    os.kill(os.getpid(), signal.SIGKILL)


def _work(number: int, users: Sequence[str]) -> int:
    worker, parts = _WORKERS[0]
    return write_part(worker, parts, number, users)
