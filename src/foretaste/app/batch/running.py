"""A batch from its order to its file, by one process or several, going on where one was cut off."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

from foretaste.app.batch.answering import PartAnswerer
from foretaste.app.batch.parts import Parts, PartsFolder
from foretaste.app.batch.people import people_of
from foretaste.app.batch.pinned_home import PinnedHome
from foretaste.app.batch.plan import BatchManifest, BatchOrder, digest_of, pinned, require_same
from foretaste.app.batch.pool import Waiting, answered_by_several, write_part
from foretaste.app.home import Home
from foretaste.app.wiring import open_home
from foretaste.domain.clock import Clock, system_clock

FEW = 20_000
"""So many people are not worth a second process, which opens the home anew."""

Advance = Callable[[int], object]


class BatchReport(msgspec.Struct, frozen=True, kw_only=True):
    """How many people were answered and how many failed (listed in `errors_file`).

    `kept` are those whose answers were there from a batch that was cut off. The rest says what the answers
    are made from.
    """

    users: int
    failed: int
    kept: int
    file: str
    errors_file: str | None
    state_seq: int
    catalog_version: int
    model_version: str
    model_hash: str
    scenario: str


def run_batch(
    directory: Path,
    out: Path,
    order: BatchOrder,
    *,
    users_file: Path | None = None,
    anew: bool = False,
    processes: int | None = None,
    began: Callable[[int, int], Advance] = lambda _done, _all: int,
    clock: Clock = system_clock,
) -> BatchReport:
    """Answer everyone who has an event, or those in `users_file`, and write the slates to `out`.

    A batch to the same file that was cut off is gone on with: its answers are as of the moment it began at.
    `began` is told how many people are answered already and how many there are, and returns what is told
    the progress. Raises `InvalidInputError` where the batch that was cut off was asked for otherwise.
    """
    with ExitStack() as stack:
        home = stack.enter_context(open_home(directory, read_only=True))
        folder = PartsFolder(out)
        stack.callback(folder.release)
        manifest, users = _begun(home, folder, order, users_file, anew=anew, clock=clock)
        parts = Parts(folder.folder, manifest)
        missing = parts.missing()
        size = manifest.order.users_per_part
        waiting = [(number, users[number * size : (number + 1) * size]) for number in missing]
        open_ = sum(len(some) for _, some in waiting)
        advance = began(manifest.n_users - open_, manifest.n_users)
        for done in _answered(home, directory, folder.folder, manifest, waiting, processes):
            advance(done)
        errors = out.with_name(f"{out.name}.errors.jsonl")
        failed = parts.join(out, errors)
        folder.remove()
    return BatchReport(
        users=manifest.n_users - failed,
        failed=failed,
        kept=manifest.n_users - open_,
        file=str(out),
        errors_file=str(errors) if failed else None,
        state_seq=manifest.pin.state_seq,
        catalog_version=manifest.pin.catalog_version,
        model_version=manifest.pin.artifact,
        model_hash=manifest.pin.artifact_hash,
        scenario=manifest.order.scenario,
    )


def _begun(
    home: Home, folder: PartsFolder, order: BatchOrder, users_file: Path | None, *, anew: bool, clock: Clock
) -> tuple[BatchManifest, list[str]]:
    """Return the manifest to go by and the people, in their order."""
    before = None if anew else folder.manifest()
    pin = pinned(home, order, clock()) if before is None else before.pin
    live = PinnedHome(home, pin)
    users = live.users() if users_file is None else people_of(users_file)
    asked = msgspec.structs.replace(order, users=digest_of(users))
    if before is not None:
        require_same(before.order, asked, str(folder.out))
        return before, users
    manifest = BatchManifest(order=asked, pin=pin, n_users=len(users))
    PartAnswerer(home, manifest)  # raises where it cannot be asked so
    folder.begin(manifest)
    return manifest, users


def _answered(
    home: Home,
    directory: Path,
    folder: Path,
    manifest: BatchManifest,
    waiting: Waiting,
    processes: int | None,
) -> Iterator[int]:
    """Answer the parts that are waiting; yield how many people each had."""
    count = processes or _worth(waiting)
    if count == 1:
        worker = PartAnswerer(home, manifest)
        for number, users in waiting:
            yield write_part(worker, Parts(folder, manifest), number, users)
        return
    yield from answered_by_several(directory, folder, manifest, waiting, count)


def _worth(waiting: Waiting) -> int:
    people = sum(len(users) for _, users in waiting)
    return 1 if people < FEW else max(1, min(multiprocessing.cpu_count(), len(waiting)))
