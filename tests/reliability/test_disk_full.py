"""A full disk: what was acknowledged stays, what was not gets a clear error, and then it goes on."""

import os
import resource
import subprocess
from contextlib import closing, contextmanager

import pytest

from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.exposure_log import SqliteExposureLog
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.domain.errors import NotDurableError
from foretaste.testing.contracts.event_log import an_event, events, expected, submitted, told
from foretaste.testing.contracts.exposure_log import NOW, an_exposure
from foretaste.testing.sites import Stores, copy_files

MEGABYTE = 1 << 20


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte; needs the right to mount."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk takes a superuser")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def files_up_to(size):
    """Let no file of this process grow beyond `size` bytes: writing more fails as on a broken disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def opened(database):
    id_map = SqliteIdMap(database)
    return Stores(SqliteEventLog(database, id_map), id_map, None)


def fill(log):
    """Submit batches until one is refused; return the events acknowledged and the batch refused."""
    acknowledged = []
    while True:
        start = 1000 + len(acknowledged)
        batch = [an_event(n, user_id=f"user-{n}") for n in range(start, start + 50)]
        future = log.submit(batch)
        if future.exception(30) is not None:
            with pytest.raises(NotDurableError, match="disk space"):
                future.result()
            return acknowledged, batch
        acknowledged += batch


def test_a_full_disk_loses_nothing_acknowledged_and_leaves_nothing_of_what_was_refused(small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(MEGABYTE // 4))
    with closing(SqliteDatabase(small_disk / "foretaste.db")) as database:
        stores = opened(database)
        acknowledged, refused = fill(stores.log)
        assert len(acknowledged) > 0
        assert told(stores, stores.log.read(0, 10**9)) == expected(acknowledged)
        ballast.unlink()
        assert submitted(stores.log, refused)[0][1:] == ("accepted", len(acknowledged) + 1)
        assert told(stores, stores.log.read(0, 10**9)) == expected(acknowledged + refused)


def test_what_was_acknowledged_before_the_disk_was_full_survives_a_crash_at_that_moment(tmp_path, small_disk):
    with closing(SqliteDatabase(small_disk / "foretaste.db")) as database:
        acknowledged, _ = fill(opened(database).log)
        copy_files(small_disk, tmp_path / "copy", ("foretaste.db-wal", "foretaste.db"))
    with closing(SqliteDatabase(tmp_path / "copy" / "foretaste.db")) as database:
        stores = opened(database)
        assert told(stores, stores.log.read(0, 10**9)) == expected(acknowledged)


def test_a_disk_that_fails_while_writing_is_told_apart_from_success_and_recovered_from(tmp_path):
    with closing(SqliteDatabase(tmp_path / "foretaste.db")) as database:
        stores = opened(database)
        submitted(stores.log, events(0, 10))
        with files_up_to(MEGABYTE // 2):
            acknowledged, refused = fill(stores.log)
        assert told(stores, stores.log.read(0, 10**9)) == expected(events(0, 10) + acknowledged)
        assert submitted(stores.log, refused)[0][1] == "accepted"
        assert told(stores, stores.log.read(0, 10**9)) == expected(events(0, 10) + acknowledged + refused)


def test_exposures_wait_while_the_disk_is_full_and_are_stored_when_there_is_room(small_disk):
    ballast = small_disk / "ballast"
    with closing(SqliteExposureLog(small_disk / "exposures.db", clock=lambda: NOW)) as log:
        log.flush()
        ballast.write_bytes(bytes(MEGABYTE - 200_000))
        for number in range(2000):
            log.record(an_exposure(str(number)))
        with pytest.raises(NotDurableError, match="disk space"):
            log.flush()
        assert log.get("0") == an_exposure("0")
        ballast.unlink()
        log.flush()
        assert [log.get(str(number)) is not None for number in range(2000)] == [True] * 2000
        assert log.dropped() == 0
