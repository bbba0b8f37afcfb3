"""Rows in few statements."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.adapters.sqlite.many_rows import ManyRows

INTO = ManyRows("INSERT INTO pair", "a, b")


@given(st.integers(0, 3000))
def test_every_row_is_put_in_once_and_in_order(n):
    rows = [(number, f"{number}") for number in range(n)]
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE pair (a, b)")
    for statement in INTO.statements(rows):
        connection.execute(*statement)
    assert connection.execute("SELECT a, b FROM pair ORDER BY rowid").fetchall() == rows
    connection.close()


@pytest.mark.parametrize(("rows", "statements"), [(0, 0), (1, 1), (17, 1), (32, 1), (33, 2), (1000, 1)])
def test_a_small_group_is_one_statement(rows, statements):
    assert len(list(INTO.statements([(1, 2)] * rows))) == statements
