"""How the log in SQLite is read in columns: piece by piece, without Python objects."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.adapters.sqlite import event_columns
from foretaste.adapters.sqlite.database import SqliteDatabase
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.adapters.sqlite.id_map import SqliteIdMap
from foretaste.app.reading_ahead import read_ahead
from foretaste.domain.errors import CorruptDataError
from foretaste.testing.contracts.event_log import an_event

COLUMNS = ("seq", "user", "item", "type", "time", "key", "value")
numbers_of_64_bits = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20)


@pytest.fixture
def log(tmp_path):
    with closing(SqliteDatabase(tmp_path / "foretaste.db")) as database:
        opened = SqliteEventLog(database, SqliteIdMap(database))
        values = (None, 2.5, -1.0, None, None, 4.0, None, 0.1, None, None)
        batch = [an_event(n, value=value, timestamp=(n - 5) * 10**15) for n, value in enumerate(values)]
        opened.submit(batch).result()
        yield opened


@given(numbers_of_64_bits)
def test_every_number_of_64_bits_is_read_as_it_was_written(numbers):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, user, item, type, time, key, value)")
        rows = [(place, place, 0, 0, number, -number - 1, None) for place, number in enumerate(numbers, 1)]
        connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        columns = event_columns.read_after(connection, 0, 100)
    assert columns.time.tolist() == numbers
    assert columns.key.tolist() == [-number - 1 for number in numbers]


@pytest.mark.parametrize("piece", [1, 3, 5])
def test_reading_in_pieces_gives_the_same_columns(log, piece, monkeypatch):
    whole, window = log.read(2, 7), log.window(-3 * 10**15, 3 * 10**15)
    monkeypatch.setattr(event_columns, "PIECE", piece)
    for once, again in ((whole, log.read(2, 7)), (window, log.window(-3 * 10**15, 3 * 10**15))):
        assert again.previous_seq == once.previous_seq == 2
        for name in COLUMNS:
            np.testing.assert_array_equal(getattr(again, name), getattr(once, name))
            assert getattr(again, name).dtype == getattr(once, name).dtype
    np.testing.assert_array_equal(
        whole.value, np.array([-1, np.nan, np.nan, 4, np.nan, 0.1, np.nan], np.float32)
    )


@pytest.mark.parametrize("piece", [1, 2, 10])
def test_a_log_that_is_opened_in_pieces_knows_what_it_holds(tmp_path, piece, monkeypatch):
    batch = [an_event(n, user_id=f"u{n % 3}") for n in range(10)]
    for _ in range(2):
        with closing(SqliteDatabase(tmp_path / "foretaste.db")) as database:
            opened = SqliteEventLog(database, SqliteIdMap(database))
            outcomes = opened.submit(batch).result()
            assert [outcome.seq for outcome in outcomes] == list(range(1, 11))
            assert [event.event_id for event in opened.of_user("u1", 2)] == ["event-4", "event-7"]
        monkeypatch.setattr(event_columns, "PIECE", piece)


@pytest.mark.parametrize("chunk", [1, 4, 10, 100])
def test_reading_ahead_gives_all_events_in_order(log, chunk):
    pieces = list(read_ahead(log, 1, chunk=chunk))
    assert [int(seq) for piece in pieces for seq in piece.seq] == list(range(2, 11))
    assert [piece.previous_seq for piece in pieces] == [1, *(piece.last_seq for piece in pieces[:-1])]


def test_a_row_that_lacks_a_number_is_corrupt(tmp_path):
    with closing(sqlite3.connect(tmp_path / "damaged.db")) as connection:
        connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, user, item, type, time, key, value)")
        connection.execute("INSERT INTO event VALUES (1, 0, 0, 0, 5, 6, NULL), (2, 0, NULL, 0, 5, 7, NULL)")
        with pytest.raises(CorruptDataError, match="lacks a number"):
            event_columns.read_after(connection, 0, 10)
