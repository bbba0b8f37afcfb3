"""Archivers that are killed at random moments, two at a time: each event is in the archive once."""

import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from deltalake import DeltaTable

from foretaste.adapters.delta.event_archive import DeltaEventArchive
from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.testing.contracts.event_archive import DAY, everything
from foretaste.testing.contracts.event_log import an_event
from foretaste.testing.rounds import kill_rounds

CHILD = Path(__file__).with_name("delta_child.py")
ROUNDS = kill_rounds(2)
ROUNDS_PER_ARCHIVE = 20
EVENTS = 400 * min(ROUNDS, ROUNDS_PER_ARCHIVE)
SECONDS = 120.0
"""How long the archivers may take to finish what is left."""


def numbered(start, stop):
    """Return the events with these numbers, a hundred a day."""
    return [(n, an_event(n, timestamp=1_700_000_000_000_000 + n * DAY // 100)) for n in range(start, stop)]


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "foretaste.db"
    with closing(SqliteDatabase(path)) as opened:
        SqliteEventLog(opened, SqliteIdMap(opened)).submit(
            [event for _, event in numbered(1, EVENTS + 1)]
        ).result()
    return path


def start(database, place, batch):
    command = [sys.executable, str(CHILD), str(database), str(place), str(batch)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def written(output):
    """Return how many events a child said it wrote."""
    return sum(int(line) for line in output.splitlines())


@pytest.mark.parametrize("begun", range(0, ROUNDS, ROUNDS_PER_ARCHIVE))
def test_killed_archivers_neither_lose_nor_double_an_event(tmp_path, database, begun):
    place, chance = tmp_path / "archive", random.Random(7 + begun)
    for _ in range(min(ROUNDS_PER_ARCHIVE, ROUNDS - begun)):
        pair = [start(database, place, chance.choice([3, 10, 20])) for _ in range(2)]
        pair[0].stdout.readline()
        moment = time.perf_counter() + chance.uniform(0.0, 0.3)
        while time.perf_counter() < moment:
            pass
        for child in pair:
            child.kill()
            child.communicate()
        assert [child.returncode for child in pair] == [-9, -9], "a child ended by itself"
        archive = DeltaEventArchive(place)
        assert everything(archive) == numbered(1, archive.last_seq() + 1)
    left = EVENTS - DeltaEventArchive(place).last_seq()
    pair = [start(database, place, 100) for _ in range(2)]
    outputs = [child.communicate(timeout=SECONDS) for child in pair]
    assert [child.returncode for child in pair] == [0, 0], [error.decode()[-2000:] for _, error in outputs]
    assert sum(written(output) for output, _ in outputs) == left > 0
    assert everything(DeltaEventArchive(place)) == numbered(1, EVENTS + 1)
    assert DeltaTable(place).count() == EVENTS
