"""What several threads ask for at the same moment is worked out once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from foretaste.serving.flights import Flights
from foretaste.testing.waiting import until


@pytest.fixture
def pool():
    with ThreadPoolExecutor(8) as threads:
        yield threads


def test_those_who_ask_meanwhile_get_what_the_first_one_works_out(pool):
    flights, may_end, worked = Flights(), Event(), []

    def work():
        worked.append(1)
        may_end.wait()
        return "found"

    first = pool.submit(flights.joined, "question", work)
    until(lambda: worked)
    others = [pool.submit(flights.joined, "question", work) for _ in range(5)]
    until(lambda: flights.waiting == 5)
    may_end.set()
    assert first.result() == ("found", False)
    assert [other.result() for other in others] == [("found", True)] * 5
    assert len(worked) == 1


def test_another_question_waits_for_nobody(pool):
    flights, may_end = Flights(), Event()
    first = pool.submit(flights.joined, "one", may_end.wait)
    assert flights.joined("other", lambda: 2) == (2, False)
    may_end.set()
    first.result()


def test_who_asks_later_works_it_out_anew():
    flights = Flights()
    assert [flights.joined("question", lambda n=n: n) for n in range(2)] == [(0, False), (1, False)]


def test_a_failure_is_the_first_one_s_and_others_are_told_there_is_nothing(pool):
    flights, started, may_end = Flights(), Event(), Event()

    def fails():
        started.set()
        may_end.wait()
        raise ValueError("no")

    first = pool.submit(flights.joined, "question", fails)
    started.wait()
    other = pool.submit(flights.joined, "question", int)
    until(lambda: flights.waiting == 1)
    may_end.set()
    assert isinstance(first.exception(), ValueError)
    assert other.result() == (None, True)
    assert flights.joined("question", lambda: 3) == (3, False)


def test_nobody_waits_longer_than_they_have_patience(pool):
    flights, may_end = Flights(patience_seconds=0.001), Event()
    started = Event()
    first = pool.submit(flights.joined, "question", lambda: started.set() or may_end.wait())
    started.wait()
    assert flights.joined("question", lambda: 1) == (None, True)
    may_end.set()
    first.result()
