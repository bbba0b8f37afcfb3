"""The contracts of streams notice what they are for: each planted fault breaks the promise it attacks."""

from contextlib import closing

import pytest

from foretaste.adapters.memory.event_stream import (
    MemoryBroker,
    MemoryEventSink,
    MemoryEventSource,
    MemoryFencedSink,
)
from foretaste.testing import stream_faults as faults
from foretaste.testing.contracts import event_stream
from foretaste.testing.contracts.event_stream import EventStreamContract
from foretaste.testing.contracts.fenced_sink import FencedSinkContract


class FaultySite:
    def __init__(self, source=MemoryEventSource, sink=MemoryEventSink, fenced_sink=MemoryFencedSink):
        self.broker = MemoryBroker()
        self.types = source, sink, fenced_sink

    def source(self, positions):
        return closing(self.types[0](self.broker, "events", "group", positions))

    def sink(self):
        return closing(self.types[1](self.broker, "events"))

    def fenced_sink(self):
        return closing(self.types[2](self.broker, "events"))

    def make_anew(self):
        self.broker.delete("events")


CAUGHT = [
    ("source", faults.BeginsAnew, EventStreamContract, "test_a_batch_says_where_to_go_on"),
    (
        "source",
        faults.TrustsTheGroup,
        EventStreamContract,
        "test_positions_of_the_log_go_before_what_the_group_said",
    ),
    (
        "source",
        faults.LosesWhatErrorsFollow,
        EventStreamContract,
        "test_messages_of_one_key_come_in_order_and_offsets_rise_by_one",
    ),
    (
        "sink",
        faults.AcknowledgesUnsent,
        EventStreamContract,
        "test_what_was_acknowledged_is_read_as_it_was_sent",
    ),
    (
        "sink",
        faults.SendsBackwards,
        EventStreamContract,
        "test_messages_of_one_key_come_in_order_and_offsets_rise_by_one",
    ),
    ("fenced_sink", faults.NeverFences, FencedSinkContract, "test_nobody_writes_who_did_not_take_over"),
    ("fenced_sink", faults.NeverFences, FencedSinkContract, "test_who_took_over_shuts_out_who_did_before"),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Waiting for what a fault took away should not take long."""
    monkeypatch.setattr(event_stream, "SECONDS", 1.0)


@pytest.mark.parametrize(
    ("part", "fault", "contract", "promise"), CAUGHT, ids=[f"{row[1].__name__}-{row[3]}" for row in CAUGHT]
)
def test_a_planted_fault_of_streams_breaks_the_promise_it_attacks(part, fault, contract, promise):
    with pytest.raises(AssertionError):
        getattr(contract(), promise)(FaultySite(**{part: fault}))


@pytest.mark.parametrize(("contract", "promise"), sorted({row[2:] for row in CAUGHT}, key=str))
def test_the_same_promise_of_streams_holds_without_the_fault(contract, promise):
    getattr(contract(), promise)(FaultySite())
