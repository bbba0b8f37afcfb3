"""What pages have shown, in memory."""

import pytest

from foretaste.adapters.memory.page_memory import MemoryPageMemory
from foretaste.testing.contracts.page_memory import PageMemoryContract


@pytest.fixture
def make_memory():
    return MemoryPageMemory


class TestMemory(PageMemoryContract):
    pass


def test_a_page_ends_its_time_after_the_last_box():
    now = [0.0]
    memory = MemoryPageMemory(ttl_seconds=10.0, clock=lambda: now[0])
    assert memory.add("page", ["a"], 0)
    now[0] = 9.0
    assert memory.add("page", ["b"], 1)
    now[0] = 18.0
    assert memory.shown("page") == ("a", "b")
    now[0] = 19.0
    assert memory.shown("page") == ()
    assert memory.add("page", ["c"], 0)


def test_the_page_that_was_added_to_longest_ago_goes_first():
    memory = MemoryPageMemory(most_pages=2)
    for page, after in (("one", 0), ("two", 0), ("one", 1), ("three", 0)):
        assert memory.add(page, [page], after)
    assert [memory.shown(page) for page in ("one", "two", "three")] == [("one", "one"), (), ("three",)]
