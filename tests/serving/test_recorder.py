"""The event path: checked, stored, folded, then acknowledged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.app.wiring import home_in_memory
from foretaste.domain.errors import NotDurableError, UnavailableError
from foretaste.testing.contracts.telemetry import samples

NOW = 1_700_000_000_000_000
USERS, ITEMS = st.sampled_from(["ann", "bob"]), st.sampled_from(["x", "y"])
EVENTS = st.fixed_dictionaries(
    {"user_id": USERS, "item_id": ITEMS, "type": st.sampled_from(["click", "rating"])}
)


@pytest.fixture
def home():
    with home_in_memory() as opened:
        yield opened


def click(**more):
    return {"user_id": "ann", "item_id": "x", "type": "click", **more}


def test_the_receipt_names_a_state_that_knows_the_events(home):
    receipt = home.recorder.record([click(), click()], now=NOW)
    assert receipt.state_seq == home.state.seq == 2
    assert home.state.summary(0).events == 2


def test_what_breaks_a_rule_is_set_aside_and_the_rest_goes_on(home):
    receipt = home.recorder.record([click(), click(user_id=""), click()], now=NOW)
    assert [status.status for status in receipt.events] == ["accepted", "rejected", "accepted"]
    assert [status.seq for status in receipt.events] == [1, None, 2]
    assert receipt.events[1].field == "user_id"


def test_nothing_to_store_is_answered_without_the_log(home):
    receipt = home.recorder.record([{}], now=NOW)
    assert (receipt.accepted, receipt.rejected, receipt.state_seq) == (0, 1, 0)


def test_a_log_that_refuses_is_not_hidden(home):
    home.log.close()
    with pytest.raises(UnavailableError):
        home.recorder.record([click()], now=NOW)


def test_an_event_that_was_not_stored_is_not_acknowledged(home):
    pending = home.recorder.submit([click()], now=NOW)
    unstored = type(pending)(pending.checked, type(pending.stored)(), pending.started)
    unstored.stored.set_exception(NotDurableError("the disk is full"))
    with pytest.raises(NotDurableError):
        home.recorder.receipt(unstored)


@given(batch=st.lists(EVENTS, min_size=1, max_size=12), later=st.integers(1, 10**9))
def test_a_batch_under_an_idempotency_key_counts_once_however_often_it_is_sent(batch, later):
    with home_in_memory() as home:
        first = home.recorder.record(batch, now=NOW, idempotency_key="k")
        again = home.recorder.record(batch, now=NOW + later, idempotency_key="k")
        assert first.accepted == len(batch)
        assert again.duplicates == len(batch)
        assert [status.seq for status in again.events] == [status.seq for status in first.events]


def test_a_key_does_not_touch_events_that_have_an_identity_of_their_own(home):
    home.recorder.record([click(event_id="mine")], now=NOW, idempotency_key="k1")
    again = home.recorder.record([click(event_id="mine")], now=NOW, idempotency_key="k2")
    assert again.duplicates == 1
    assert again.events[0].event_id == "mine"


def test_what_was_taken_is_counted(home):
    home.recorder.record([click(type="purchase"), click(type="sniffed"), {}], now=NOW)
    home.recorder.record([click(event_id="e"), click(event_id="e")], now=NOW)
    ahead = click(timestamp=(NOW + 60_000_000) // 1_000_000)
    home.recorder.record([ahead], now=NOW)
    found = samples(home.telemetry)
    assert found["events_processed_total",] == 4.0
    assert found["events_duplicate_total",] == 1.0
    assert found["events_rejected_total",] == 1.0
    assert found["events_unknown_type_total",] == 1.0
    assert found["events_clock_ahead_total",] == 1.0
    assert found["purchase_events_accepted_total",] == 1.0
