"""The breaker leaves alone what fails, and lets one caller try."""

from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.serving.breaker import Breaker


def breaker(**how):
    return Breaker(random=lambda: 1.0, failures=3, first_seconds=1.0, longest_seconds=8.0, **how)


def fails(circuit, now, times=1):
    for _ in range(times):
        circuit.end(circuit.begin(now), now, ok=False)


def test_failures_in_a_row_open_it():
    circuit = breaker()
    fails(circuit, 0.0, 2)
    circuit.end(circuit.begin(0.0), 0.0, ok=True)
    fails(circuit, 0.0, 2)
    assert circuit.state == "closed"
    fails(circuit, 0.0)
    assert circuit.state == "open"
    assert circuit.begin(0.9) is None


def test_after_the_pause_one_caller_alone_may_try():
    circuit = breaker()
    fails(circuit, 0.0, 3)
    assert [circuit.begin(1.0) is not None for _ in range(4)] == [True, False, False, False]
    assert circuit.state == "half-open"


def test_a_good_probe_closes_it_and_a_bad_one_doubles_the_pause():
    circuit = breaker()
    fails(circuit, 0.0, 3)
    now, pauses = 0.0, []
    for _ in range(5):
        step = 0.0
        while (ticket := circuit.begin(now + step)) is None:
            step += 0.25
        pauses.append(step)
        now += step
        circuit.end(ticket, now, ok=False)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 8.0]
    now += 8.0
    circuit.end(circuit.begin(now), now, ok=True)
    assert circuit.state == "closed"
    fails(circuit, now, 3)
    assert circuit.begin(now + 1.0) is not None


def test_pauses_are_drawn_between_half_and_all():
    circuit = Breaker(random=lambda: 0.0, failures=1, first_seconds=1.0)
    fails(circuit, 0.0)
    assert circuit.begin(0.49) is None
    assert circuit.begin(0.5) is not None


def test_those_who_began_before_it_opened_say_nothing_about_the_probe():
    circuit = breaker()
    early = circuit.begin(0.0)
    fails(circuit, 0.0, 3)
    probe = circuit.begin(1.0)
    circuit.end(early, 1.0, ok=True)
    assert circuit.state == "half-open"
    circuit.end(early, 1.0, ok=False)
    assert circuit.state == "half-open"
    circuit.end(probe, 1.0, ok=True)
    assert circuit.state == "closed"


def test_a_probe_that_never_ends_is_given_up():
    circuit = breaker(probe_seconds=5.0)
    fails(circuit, 0.0, 3)
    lost = circuit.begin(1.0)
    assert circuit.begin(5.9) is None
    second = circuit.begin(6.0)
    assert second is not None
    circuit.end(lost, 6.0, ok=True)
    assert circuit.state == "half-open"


@given(
    st.lists(st.tuples(st.floats(0.0, 3.0), st.booleans(), st.integers(0, 9), st.booleans()), max_size=120),
    st.floats(0.0, 1.0),
)
@settings(max_examples=300)
def test_there_is_never_more_than_one_probe_and_none_while_it_is_open(steps, drawn):
    """Each step passes time, then begins a call or ends one of those under way."""
    circuit = Breaker(random=lambda: drawn, failures=2, first_seconds=1.0, probe_seconds=4.0)
    now, under_way, probes = 0.0, [], []
    for passed, begins, which, ok in steps:
        now += passed
        if begins:
            was, opened = circuit.state, circuit._until
            ticket = circuit.begin(now)
            if ticket is None:
                assert was != "closed"
                continue
            under_way.append(ticket)
            if was != "closed":
                assert now >= opened
                probes = [probe for probe in probes if probe[0] in under_way and now < probe[1] + 4.0]
                assert not probes
                probes.append((ticket, now))
        elif under_way:
            circuit.end(under_way.pop(which % len(under_way)), now, ok=ok)
