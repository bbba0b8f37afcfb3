"""What Gorse's records are here."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.adapters.gorse.labels import sorted_labels
from foretaste.adapters.gorse.translation import event_of, item_of, person_of
from foretaste.domain.clock import MICROS_PER_DAY
from foretaste.domain.errors import InvalidInputError

NOW = 1_800_000_000_000_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.floats(-9, 9) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def read(kind="read", **fields):
    return {
        "feedback_type": kind,
        "user_id": "u",
        "item_id": "i",
        "timestamp": "2024-06-01T10:00:00Z",
        **fields,
    }


def test_names_of_gorse_s_examples_have_a_meaning():
    kinds = {
        kind: event_of(read(kind), {}, NOW).type for kind in ("read", "star", "Favorite", "click", "zap")
    }
    assert kinds == {"read": "view", "star": "like", "Favorite": "like", "click": "click", "zap": "zap"}


def test_feedback_without_a_time_counts_as_a_day_old_and_keeps_its_id():
    first = event_of(read(timestamp=None), {}, NOW)
    assert first.timestamp == NOW - MICROS_PER_DAY
    assert first.event_id == event_of(read(timestamp="0001-01-01T00:00:00Z"), {}, NOW + 1).event_id


def test_a_later_time_is_another_event():
    ids = {event_of(read(timestamp=f"2024-06-0{day}T10:00:00Z"), {}, NOW).event_id for day in (1, 2)}
    assert len(ids) == 2


def test_a_short_comment_is_the_title_and_a_long_one_the_text():
    assert item_of({"item_id": "i", "comment": "Heat"}, NOW).title == "Heat"
    told = "A thief\nmeets his match."
    assert item_of({"item_id": "i", "comment": told}, NOW).text == told
    named = item_of({"item_id": "i", "comment": "Heat", "labels": {"name": "Heat (1995)"}}, NOW)
    assert (named.title, named.text) == ("Heat (1995)", "Heat")


@pytest.mark.parametrize(
    ("written", "hidden"),
    [("1", True), ("t", True), ("TRUE", True), (True, True), ("0", False), (None, False)],
)
def test_hidden_is_told_as_go_reads_truth_values(written, hidden):
    assert item_of({"item_id": "i", "is_hidden": written}, NOW).hidden is hidden


def test_what_is_neither_hidden_nor_shown_is_refused():
    with pytest.raises(InvalidInputError, match="is_hidden must be true or false, not 'perhaps'"):
        item_of({"item_id": "i", "is_hidden": "perhaps"}, NOW)


def test_an_item_of_the_future_waits():
    assert item_of({"item_id": "i", "timestamp": "2030-01-01T00:00:00Z"}, NOW).available_from is not None
    past = item_of({"item_id": "i", "timestamp": "2024-01-01T00:00:00Z"}, NOW)
    assert (past.available_from, past.attributes["timestamp"]) == (None, 1_704_067_200.0)


def test_categories_beyond_what_an_item_may_have_become_text():
    item = item_of({"item_id": "i", "categories": [f"c{n}" for n in range(70)]}, NOW)
    assert len(item.categories) == 64
    assert "c69" in item.text


def test_labels_may_be_nested():
    labels = sorted_labels({"a": {"b": 1, "c": ["x", "y"]}, "v": [0.1, 0.2, 0.3]})
    assert labels.attributes == {"a.b": 1}
    assert labels.tags == ["x", "y"]
    assert labels.vectors == [[0.1, 0.2, 0.3]]


def test_of_too_many_labels_a_person_keeps_the_first():
    _, told = person_of({"user_id": "u", "labels": [f"tag{n}" for n in range(40)]})
    assert list(told) == [f"tag{n}" for n in range(32)]


@given(labels=JSON, comment=st.text(max_size=300))
def test_whatever_labels_hold_a_record_is_taken_or_refused_with_a_reason(labels, comment):
    record = read(labels=labels, comment=comment)
    for translated in (
        lambda: event_of(record, {}, NOW),
        lambda: item_of(record, NOW),
        lambda: person_of(record),
    ):
        with suppress(InvalidInputError):
            assert translated() is not None
