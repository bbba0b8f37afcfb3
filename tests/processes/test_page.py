"""The page that the processes of a service meet on."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.app.processes.page import MOST_READERS, NOTHING, Published, SharedPage

WRITER = """
import sys
from pathlib import Path
from foretaste.app.processes.page import Published, SharedPage
page = SharedPage(Path(sys.argv[1]))
for number in range(1, int(sys.argv[2]) + 1):
    page.publish(Published(*[number] * 6))
"""
ROUNDS = 20_000
numbers = st.builds(Published, *[st.integers(0, 2**62)] * 6)


@pytest.fixture
def page(tmp_path):
    """A new page."""
    page = SharedPage.create(tmp_path / "page")
    yield page
    page.close()


@given(st.lists(numbers, min_size=1), st.integers(0, MOST_READERS - 1), numbers)
def test_what_was_published_last_is_read_by_whoever_has_the_page(tmp_path_factory, published, slot, taken):
    path = tmp_path_factory.mktemp("page") / "page"
    page, other = SharedPage.create(path), SharedPage(path)
    for now in published:
        before = page.change
        page.publish(now)
        assert other.change != before
        assert other.published() == (page.change, now)
    other.take_over(slot, 7, taken)
    assert (page.reader(slot), page.taken_over(slot)) == (7, taken)
    assert other.published()[1] == published[-1]


def test_what_belongs_together_is_read_together_while_another_process_writes(page, tmp_path):
    writing = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "page"), str(ROUNDS)])
    with writing:
        last = 0
        while last < ROUNDS:
            change, now = page.published()
            assert change % 2 or len(set(now)) == 1
            assert now.seq >= last
            last = now.seq
    assert writing.returncode == 0


def test_a_keeper_that_died_while_it_published_leaves_a_page_that_can_be_read_and_written(page):
    page.publish(Published(5, 5, 5, 5, 5, 5))
    page._words[0] |= 1  # what a kill in the middle leaves
    page._words[3] = 6
    change, now = page.published()
    assert now == Published(6, 5, 5, 5, 5, 5)
    page.publish(Published(7, 7, 7, 7, 7, 7))
    assert page.change != change
    assert page.published()[1] == Published(7, 7, 7, 7, 7, 7)


def test_a_slot_is_free_again_when_its_reader_is_gone(page):
    page.wanted = 2
    page.take_over(1, 4711, NOTHING)
    page.answer(1)
    assert (page.readers(), page.answering()) == ([1], [1])
    page.vacate(1)
    assert (page.readers(), page.answering()) == ([], [])
