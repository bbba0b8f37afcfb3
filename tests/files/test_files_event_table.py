"""The table of events: cut in time, iterated, shown."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from foretaste.adapters.files.reading import read_events
from foretaste.domain.errors import InvalidInputError

DAYS = ["2024-01-01", "2024-01-02", "2024-01-03"]


@pytest.fixture
def events():
    return read_events(pl.DataFrame({"user_id": ["u", "v", "u"], "item_id": ["a", "b", "<b>"], "date": DAYS}))


@pytest.mark.parametrize(
    "moment",
    [
        "2024-01-02",
        "2024-01-02T00:00:00Z",
        date(2024, 1, 2),
        datetime(2024, 1, 2, tzinfo=UTC),
        1_704_153_600_000_000,
    ],
)
def test_until_and_after_part_the_events_without_loss(events, moment):
    assert [event.item_id for event in events.until(moment)] == ["a"]
    assert [event.item_id for event in events.after(moment)] == ["b", "<b>"]


def test_parts_keep_the_items(events):
    whole = type(events)(events.frame, items=("catalog",))
    assert whole.until("2024-01-02").items == whole.after("2024-01-02").items == ("catalog",)


def test_a_date_that_is_none_is_refused_with_an_example(events):
    with pytest.raises(InvalidInputError, match="write it as 1998-03-01"):
        events.until("first of March")


def test_a_share_of_the_events_has_a_moment(events):
    cut = events.quantile(0.67)
    assert (len(events.until(cut)), len(events.after(cut))) == (2, 1)
    assert events.until("2000-01-01").quantile(0.5) == 0


@pytest.mark.parametrize("moment", [None, 1.5, True, []])
def test_what_is_no_moment_is_refused_with_an_example(events, moment):
    for cut in (events.until, events.after, events.ending):
        with pytest.raises(InvalidInputError, match="is no moment; give a date"):
            cut(moment)


@pytest.mark.parametrize("share", [float("nan"), None, "half"])
def test_what_is_no_share_is_refused(events, share):
    with pytest.raises(InvalidInputError, match="share must be a number from 0 to 1"):
        events.quantile(share)


def test_a_log_moved_to_another_end_is_the_same_but_for_when_it_happened(events):
    moved = events.ending("2026-05-05")
    assert str(moved.to_polars()["timestamp"][-1].date()) == "2026-05-05"
    by = moved.frame["timestamp"] - events.frame["timestamp"]
    assert by.n_unique() == 1
    assert moved.frame.drop("timestamp").equals(events.frame.drop("timestamp"))
    assert len(events.until("2000-01-01").ending("2026-05-05")) == 0


def test_it_says_what_it_holds(events):
    assert repr(events) == "<Events: 3 of 2 users with 3 items, 2024-01-01 to 2024-01-03>"
    assert repr(events.until("2000-01-01")) == "<Events: none>"


def test_in_a_notebook_ids_are_escaped(events):
    assert "<b>" not in events._repr_html_()
    assert "&lt;b&gt;" in events._repr_html_()


def test_the_frame_has_datetimes_in_utc(events):
    assert events.to_polars()["timestamp"].dtype == pl.Datetime("us", "UTC")


def test_iterating_gives_typed_events_in_order(events):
    event = list(events)[1]
    assert (event.user_id, event.item_id, event.type, event.value) == ("v", "b", "click", None)
