"""Who gets in: as many as are answered in time, what matters most first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.serving.admission import Admission, AdmissionLimits, Priority

ANSWERS, EVENTS, ADMIN, HEALTH = Priority.ANSWERS, Priority.EVENTS, Priority.ADMIN, Priority.HEALTH


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def door(clock, **limits):
    """Return what lets as many in as it ever does."""
    admission = narrow(clock, **limits)
    entered = let_in(admission, ANSWERS)
    while admission.limit < limits.get("most", 100):
        begun_after(admission, 0.0)
        entered += let_in(admission, ANSWERS, 1)
    for _ in range(entered):
        admission.leave(ANSWERS)
    return admission


def narrow(clock, **limits):
    """Return what lets as many in as at first."""
    return Admission(
        AdmissionLimits(**{"most": 100, "least": 4, "wait_seconds": 0.05, "few": 0, **limits}),
        MemoryTelemetry(),
        clock=clock,
    )


def let_in(admission, priority, times=1000):
    return sum(admission.enter(priority) for _ in range(times))


def begun_after(admission, waited, priority=ANSWERS):
    return admission.begin(priority, waited)


def test_few_get_in_at_first(clock):
    assert let_in(narrow(clock), ANSWERS) == 8


def test_no_more_get_in_than_may_be_under_way(clock):
    assert let_in(door(clock), ANSWERS) == 100


def test_who_leaves_makes_room(clock):
    admission = door(clock)
    let_in(admission, ANSWERS)
    admission.leave(ANSWERS)
    assert let_in(admission, ANSWERS) == 1


def test_health_always_gets_in(clock):
    admission = door(clock)
    let_in(admission, ANSWERS)
    let_in(admission, EVENTS)
    assert let_in(admission, HEALTH) == 1000


def test_events_get_in_while_answers_do_not(clock):
    admission = door(clock)
    let_in(admission, ANSWERS)
    assert let_in(admission, EVENTS) == 100


def test_administrators_leave_half_to_visitors(clock):
    admission = door(clock)
    assert let_in(admission, ADMIN) == 50
    assert let_in(admission, ANSWERS) == 50


def test_waiting_too_long_shrinks_the_limit_once_in_that_time(clock):
    admission = door(clock)
    for _ in range(10):
        begun_after(admission, 0.2)
    assert admission.limit == 90
    clock.now = 0.05
    begun_after(admission, 0.2)
    assert admission.limit == 81


def test_the_limit_keeps_a_few(clock):
    admission = door(clock)
    for moment in range(200):
        clock.now = float(moment)
        begun_after(admission, 1.0)
    assert admission.limit == 4


def test_a_limit_that_is_used_and_not_felt_grows_by_one_a_round(clock):
    admission = door(clock)
    for moment in range(200):
        clock.now = float(moment)
        begun_after(admission, 1.0)
    begun_after(admission, 0.0)
    let_in(admission, ANSWERS)
    for _ in range(5):
        begun_after(admission, 0.0)
    assert admission.limit == 5


def test_a_limit_that_nobody_needs_does_not_grow(clock):
    admission = door(clock)
    begun_after(admission, 1.0)
    for _ in range(1000):
        begun_after(admission, 0.0)
    assert admission.limit == 90


@pytest.mark.parametrize("priority", [ANSWERS, ADMIN])
def test_what_waited_twice_as_long_as_it_may_is_not_begun(clock, priority):
    admission = door(clock)
    let_in(admission, priority, 2)
    assert begun_after(admission, 0.1, priority)
    assert not begun_after(admission, 0.11, priority)


def test_nobody_is_let_in_behind_those_who_wait_too_long(clock):
    admission = door(clock)
    let_in(admission, ANSWERS, 2)
    begun_after(admission, 0.08)
    assert let_in(admission, ANSWERS, 1) == 0
    assert let_in(admission, EVENTS, 1) == 1
    begun_after(admission, 0.07)
    assert let_in(admission, ANSWERS, 1) == 1


def test_who_comes_when_nobody_waits_any_more_is_let_in(clock):
    admission = door(clock)
    let_in(admission, ANSWERS, 1)
    begun_after(admission, 60.0)
    assert let_in(admission, ANSWERS, 1) == 0
    admission.leave(ANSWERS)
    assert let_in(admission, ANSWERS, 1) == 1


@pytest.mark.parametrize("priority", [EVENTS, HEALTH])
def test_events_and_health_are_begun_however_long_they_waited(clock, priority):
    admission = door(clock)
    assert begun_after(admission, 60.0, priority)
    assert admission.limit == 100


def test_who_is_turned_away_is_counted(clock):
    telemetry = MemoryTelemetry()
    admission = Admission(AdmissionLimits(most=1), telemetry, clock=clock)
    let_in(admission, ANSWERS, 3)
    assert b'requests_refused_total{priority="answers"} 2' in telemetry.exposition()


@given(
    steps=st.lists(st.tuples(st.sampled_from(Priority), st.sampled_from(["enter", "leave", "late", "soon"])))
)
def test_whatever_comes_the_bounds_hold(steps):
    clock, under_way = Clock(), dict.fromkeys(Priority, 0)
    admission = door(clock, most=5, least=2)
    for priority, step in steps:
        clock.now += 0.03
        if step == "enter":
            under_way[priority] += admission.enter(priority)
        elif step == "leave" and under_way[priority]:
            admission.leave(priority)
            under_way[priority] -= 1
        else:
            begun_after(admission, 0.1 if step == "late" else 0.0)
        assert 2 <= admission.limit <= 5
        assert under_way[EVENTS] <= 5
        assert under_way[ANSWERS] + under_way[ADMIN] <= 5
        assert admission.under_way == sum(under_way.values()) - under_way[HEALTH]


def test_a_few_are_answered_however_long_they_waited(clock):
    admission = narrow(clock, few=3)
    assert let_in(admission, ANSWERS, 3) == 3
    assert begun_after(admission, 60.0)
    admission.leave(ANSWERS)
    assert let_in(admission, ANSWERS) == 1


def test_one_more_than_a_few_that_waited_too_long_is_turned_away(clock):
    admission = narrow(clock, few=3)
    assert let_in(admission, ANSWERS, 4) == 4
    assert not begun_after(admission, 60.0)
