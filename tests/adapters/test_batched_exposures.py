"""Exposures on their way into a database."""

from contextlib import suppress
from threading import Event, Thread

import pytest

from foretaste.adapters.batched_exposures import BatchedExposures
from foretaste.testing.contracts.exposure_log import an_exposure


class Gate(BatchedExposures):
    """A database that takes a batch when it is let in, or refuses."""

    refusal = OSError

    def __init__(self, most_waiting=10):
        self.arrived, self.let_in, self.refuses, self.stored = Event(), Event(), False, []
        super().__init__(most_waiting)

    def _put(self, rows):
        self.arrived.set()
        assert self.let_in.wait(30)
        if self.refuses:
            raise OSError
        self.stored.extend(name for name, _, _ in rows)

    def _found(self, recommendation_id):
        del recommendation_id

    def _release(self):
        """Nothing was opened."""


@pytest.fixture
def gate():
    log = Gate()
    yield log
    log.refuses = False
    log.let_in.set()
    log.close()


def being_written(log):
    """Begin to write what waits; return who waits for the end."""

    def write():
        with suppress(OSError):
            log.flush()

    writing = Thread(target=write)
    writing.start()
    assert log.arrived.wait(30)
    return writing


def test_a_record_is_found_while_it_is_being_written(gate):
    gate.record(an_exposure("one"))
    writing = being_written(gate)
    assert gate.get("one") == an_exposure("one")
    gate.let_in.set()
    writing.join()
    assert gate.stored == ["one"]


def test_what_comes_meanwhile_waits_for_the_next_time(gate):
    gate.record(an_exposure("one"))
    writing = being_written(gate)
    gate.record(an_exposure("two"))
    gate.let_in.set()
    writing.join()
    gate.flush()
    assert gate.stored == ["one", "two"]


def test_what_was_refused_goes_on_waiting_before_what_came_meanwhile(gate):
    gate.refuses = True
    gate.record(an_exposure("one"))
    writing = being_written(gate)
    gate.record(an_exposure("two"))
    gate.let_in.set()
    writing.join()
    gate.refuses = False
    gate.flush()
    assert gate.stored == ["one", "two"]


def test_what_is_being_written_counts_among_what_waits(gate):
    for number in range(8):
        gate.record(an_exposure(f"early {number}"))
    writing = being_written(gate)
    for number in range(5):
        gate.record(an_exposure(f"late {number}"))
    assert gate.dropped() == 3
    gate.let_in.set()
    writing.join()
    gate.flush()
    assert gate.stored == [*(f"early {number}" for number in range(8)), "late 3", "late 4"]


def test_a_record_that_is_no_unicode_is_dropped_and_counted(gate):
    gate.record(an_exposure("lone \ud800"))
    assert gate.dropped() == 1
    assert gate.get("lone \ud800") is None
