"""A power cut at random moments of ingest: what was not synced is lost, torn or mixed up; no promise is."""

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from ingest_checks import acknowledged_in, first_unacknowledged, stored
from recorded_disk import SAID, SYNCED, Disk, Record, recorder, records

from foretaste.domain.errors import CorruptDataError
from foretaste.testing.rounds import PLANTED, assert_none_lost_or_doubled, kill_rounds

CHILD = Path(__file__).with_name("ingest_child.py")
CUTS = kill_rounds(5)
CUTS_PER_LOG, CUTS_PER_RUN = 20, 10
WRITES = """
import os, sqlite3, sys
os.chdir(sys.argv[1])
connection = sqlite3.connect("foretaste.db", isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("CREATE TABLE t (a)")
for number in range(2000):
    connection.execute("INSERT INTO t VALUES (?)", (str(number) * 20,))
connection.close()
with open("removed", "wb") as file:
    file.write(b"x")
os.unlink("removed")
grown = os.open("grown", os.O_RDWR | os.O_CREAT, 0o644)
os.write(grown, b"abcdef")
os.pwrite(grown, b"X", 2)
os.ftruncate(grown, 4)
os.pwrite(grown, b"e", 8)
os.fsync(grown)
os.write(1, b"done\\n")
"""
"""Writes in all the ways that are recorded."""

SENDS_AGAIN = """
import os, sys
from pathlib import Path
from ingest_child import SqliteDatabase, SqliteEventLog, SqliteIdMap
database = SqliteDatabase(Path(sys.argv[1]))
log = SqliteEventLog(database, SqliteIdMap(database))
for _, event in log.events(max(log.last_seq() - 200, 0), 10**9):
    assert log.submit([event]).result()[0].status == "duplicate"
    number = int(event.event_id.removeprefix("event-"))
    os.write(1, b"%d %d\\n" % (number, number + 1))
"""
"""Sends again the last events that are there."""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return recorder(tmp_path_factory.mktemp("recorder"))


def recorded(library: Path, folder: Path, first: int, chance: random.Random, kind: str) -> list[Record]:
    """Let a child ingest, kill it, and return what it did."""
    journal = folder.with_suffix(".record")
    command = [sys.executable, CHILD, folder / "foretaste.db", str(first), str(chance.randrange(2**32)), kind]
    environment = recording(library, folder, journal)
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
        for _ in range(chance.randrange(20, 300)):
            child.stdout.readline()
        child.kill()
    assert child.returncode == -9, "the child ended by itself"
    return list(records(journal))


def recording(library: Path, folder: Path, journal: Path) -> dict[str, str]:
    """Return the environment of a process that is recorded."""
    given = {"LD_PRELOAD": library, "RECORDED_FOLDER": folder, "RECORDED_TO": journal}
    return {**os.environ, **{name: str(value) for name, value in given.items()}}


def moments(history: list[Record], count: int, chance: random.Random) -> list[int]:
    """Return when the power is cut, in order: at any moment, or just before or after something is synced."""
    syncs = [place for place, record in enumerate(history) if record.kind == SYNCED]
    near = [place + after for place in syncs for after in (0, 1)] or [len(history)]
    return sorted(
        chance.choice(near) if chance.random() < 0.5 else chance.randrange(len(history) + 1)
        for _ in range(count)
    )


def cut_power(
    library: Path, place: Path, cuts: int, chance: random.Random, kind: str = "checkpointing"
) -> None:
    """Let clients ingest, cut the power at several moments of it, check each time; go on from the last."""
    folder, acknowledged = place / "start", set()
    folder.mkdir()
    done, total = 0, 0
    while done < cuts:
        disk = Disk(folder.iterdir())
        history = recorded(library, folder, first_unacknowledged(acknowledged), chance, kind)
        happened = 0
        for moment in moments(history, min(CUTS_PER_RUN, cuts - done), chance):
            for record in history[happened:moment]:
                disk.take(record)
            happened = moment
            said = b"".join(each.data for each in history[:moment] if each.kind == SAID)
            told = acknowledged | acknowledged_in(said.splitlines(keepends=True))
            folder = place / f"after-{done}"
            disk.after_cut(folder, chance)
            done, total = done + 1, total + len(told)
            victim = "power" if kind == "checkpointing" else f"power{PLANTED}"
            numbers = stored(folder / "foretaste.db")
            assert_none_lost_or_doubled(victim, done, told, numbers)
        acknowledged = told
    assert total > 100 * done


def test_what_is_recorded_is_all_that_happened_to_the_files(library, tmp_path):
    folder, journal = tmp_path / "folder", tmp_path / "record"
    folder.mkdir()
    command = [sys.executable, "-c", WRITES, folder]
    subprocess.run(command, env=recording(library, folder, journal), stdout=subprocess.DEVNULL, check=True)
    disk, history = Disk(), list(records(journal))
    for record in history:
        disk.take(record)
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert disk.files() == found
    assert found["grown"] == b"abXd" + bytes(4) + b"e"
    assert len(found["foretaste.db"]) > 100_000
    assert history[-1].data == b"done\n"


@pytest.mark.parametrize("begun", range(0, CUTS, CUTS_PER_LOG))
def test_no_acknowledged_event_dies_in_a_power_cut_and_none_is_applied_twice(library, tmp_path, begun):
    cut_power(library, tmp_path, min(CUTS_PER_LOG, CUTS - begun), random.Random(begun))


def test_what_a_killed_process_did_not_sync_is_synced_before_it_is_a_duplicate(library, tmp_path):
    """Its successor finds events that only memory holds; sent again, they are acknowledged."""
    start, found, left = tmp_path / "start", tmp_path / "found", tmp_path / "left"
    start.mkdir()
    history = recorded(library, start, 0, random.Random(0), "sound")
    killed = Disk()
    for record in history[: max(place for place, record in enumerate(history) if record.kind == SYNCED)]:
        killed.take(record)
    disk = killed.after_kill(found)
    journal = tmp_path / "found.record"
    command = [sys.executable, "-c", SENDS_AGAIN, found / "foretaste.db"]
    environment = recording(library, found, journal) | {"PYTHONPATH": str(CHILD.parent)}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    later = list(records(journal))
    told = max(place for place, record in enumerate(later) if record.kind == SAID)
    for record in later[:told]:
        disk.take(record)
    disk.after_cut(left, random.Random(0), fates=["nothing"])
    acknowledged = acknowledged_in([record.data for record in later[:told] if record.kind == SAID])
    assert_none_lost_or_doubled("power, after a kill", 1, acknowledged, stored(left / "foretaste.db"))


@pytest.mark.parametrize("kind", ["normal", "off"])
def test_the_check_would_notice_a_log_that_is_not_synced(library, tmp_path, kind):
    with pytest.raises((AssertionError, CorruptDataError, sqlite3.DatabaseError)) as noticed:
        cut_power(library, tmp_path, CUTS_PER_RUN, random.Random(0), kind)
    assert "by itself" not in str(noticed.value)
