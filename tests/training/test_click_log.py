"""What is shown and clicked since training is counted alike at once and piece by piece."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from foretaste.domain.event import EventColumns
from foretaste.domain.query import Query
from foretaste.domain.slate import ClickEdition
from foretaste.testing.contracts.exposure_log import an_exposure
from foretaste.training import click_log
from foretaste.training.click_log import ClickLog
from foretaste.training.slate_log import WINDOW_SECONDS

SECOND = 1_000_000
DAY = round(WINDOW_SECONDS) * SECOND
NOW = 20_000 * DAY
PEOPLE = 1 << 20
EVEN = np.ones(3)


def a_slate(user, time, items=(1, 2, 3), **changed):
    name = None if user is None else f"u{user}"
    return replace(an_exposure(f"{user}-{time}", time=NOW + time, user_id=name), items=items, **changed)


def the_events(*rows):
    """Return events of rows of user, item and time, in the order of the log."""
    user, item, time = np.array(rows, np.int64).reshape(-1, 3).T
    n = np.arange(len(user))
    return EventColumns(
        previous_seq=0,
        seq=n + 1,
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        type=np.zeros(len(n), np.int16),
        time=NOW + time,
        key=n,
        value=np.full(len(n), np.nan, np.float32),
    )


def ordinals_of(names):
    return np.array([int(name.removeprefix("u")) for name in names], np.int32)


def counted(slates, events, until=DAY, *, seq=1 << 30, people=PEOPLE, look=EVEN, liking=True):
    log = ClickLog()
    log.show(slates)
    log.hear(events, np.full(len(events), liking))
    edition = ClickEdition(until=NOW + until, seq=seq, people=people)
    looks, clicks = log.counted(edition, look, ordinals_of)
    return looks.tolist(), clicks.tolist()


def test_each_place_is_a_look_and_an_answer_a_click():
    slates = [a_slate(0, 0), a_slate(1, 5, items=(3, 0))]
    looks, clicks = counted(slates, the_events((0, 2, 1), (1, 3, 6), (1, 2, 7)), look=np.array([1.0, 0.5]))
    assert looks == [0.5, 1.0, 0.5, 1.5]
    assert clicks == [0.0, 0.0, 1.0, 1.0]


def test_a_click_counts_once_on_the_latest_slate_within_a_day():
    slates = [a_slate(0, 0), a_slate(0, 10)]
    assert counted(slates, the_events((0, 1, 11), (0, 1, 12), (0, 2, 5)), 3 * DAY)[1] == [0, 1, 1, 0]
    assert counted(slates, the_events((0, 1, 11 + DAY)), 3 * DAY)[1] == [0, 0, 0, 0]


def test_what_is_no_sign_of_liking_is_no_click():
    assert counted([a_slate(0, 0)], the_events((0, 1, 1)), liking=False)[1] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "other",
    [
        a_slate(None, 0),
        a_slate(0, 0, items=(1,)),
        a_slate(0, 0, scenario="similar"),
        a_slate(0, 0, query=Query(now=NOW, seed=0, user_id="u0", item_ids=("i1",))),
    ],
    ids=["nobody's", "of one item", "of another item", "of items that were named"],
)
def test_slates_count_that_were_chosen_for_what_a_person_did(other):
    assert counted([other], the_events((0, 1, 1))) == ([], [])


def test_an_edition_knows_only_its_own_people_events_and_time():
    slates, events = [a_slate(0, 0), a_slate(7, 0)], the_events((0, 1, 1), (0, 2, 2), (7, 1, 3))
    assert counted(slates, events, people=7) == ([0, 1, 1, 1], [0, 1, 1, 0])
    assert counted(slates, events, seq=1) == ([0, 2, 2, 2], [0, 1, 0, 0])
    assert counted(slates, events, until=2) == ([0, 2, 2, 2], [0, 1, 0, 0])


def test_nothing_shown_is_nothing_counted():
    assert counted([], the_events()) == ([], [])
    assert counted([], the_events((0, 1, 1))) == ([], [])


moments = st.integers(0, 40)
shown = st.lists(
    st.tuples(st.integers(0, 30), moments, st.lists(st.integers(0, 4), min_size=2, max_size=3, unique=True)),
    max_size=40,
)
clicked = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4), moments), max_size=40)


@given(shown, clicked, st.lists(st.tuples(moments, st.integers(0, 40)), max_size=4), st.integers(2, 50))
def test_what_came_piece_by_piece_is_counted_as_what_came_at_once(shown, clicked, cuts, most):
    slates = [a_slate(user, time, tuple(items)) for user, time, items in sorted(shown, key=lambda s: s[1])]
    events = the_events(*clicked)
    growing, until, seq = ClickLog(most), 0, 0
    for next_until, next_seq in [*zip(*map(sorted, zip(*cuts, strict=True)), strict=True)] if cuts else []:
        edition = ClickEdition(until=NOW + next_until, seq=next_seq, people=20)
        growing.show(one for one in slates if NOW + until <= one.time < edition.until)
        some = events.take(min(seq, len(events)), min(next_seq, len(events)))
        growing.hear(some, np.ones(len(some), np.bool_))
        until, seq = next_until, next_seq
        fresh = ClickLog(most)
        fresh.show(one for one in slates if one.time < edition.until)
        every = events.take(0, min(seq, len(events)))
        fresh.hear(every, np.ones(len(every), np.bool_))
        found, wanted = (log.counted(edition, EVEN, ordinals_of) for log in (growing, fresh))
        assert [part.tolist() for part in found] == [part.tolist() for part in wanted]


def test_of_too_many_slates_those_of_some_people_count_with_all_their_clicks():
    slates = [a_slate(user, time) for time in range(4) for user in range(200)]
    events = the_events(*((user, 1, 3) for user in range(200)))
    log = ClickLog(most=100)
    log.show(slates)
    log.hear(events, np.ones(200, np.bool_))
    looks, clicks = log.counted(ClickEdition(until=NOW + 9, seq=200, people=200), EVEN, ordinals_of)
    assert 20 <= looks[1] <= 100
    assert clicks[1] == looks[1] / 4


def test_many_slates_are_taken_a_few_at_a_time(monkeypatch):
    slates = [a_slate(user, time) for time in range(3) for user in range(40)]
    at_once = counted(slates, the_events((3, 1, 5)))
    monkeypatch.setattr(click_log, "AT_ONCE", 7)
    assert counted(iter(slates), the_events((3, 1, 5))) == at_once


def test_a_person_who_alone_fills_the_log_counts_with_their_latest():
    log = ClickLog(most=8)
    log.show(a_slate(5, time, items=(time, 50)) for time in range(40))
    looks, _ = log.counted(ClickEdition(until=NOW + 99, seq=1, people=9), EVEN, ordinals_of)
    assert 0 < looks[50] <= 8
    assert looks[39] == 1.0
