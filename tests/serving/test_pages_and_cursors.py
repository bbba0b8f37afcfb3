"""Boxes of one page show different things; cursors say what was shown, and nothing else can be one."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.adapters.memory.page_memory import MemoryPageMemory
from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.domain.errors import InvalidQueryError, UnavailableError
from foretaste.domain.query import Query
from foretaste.domain.slate_rules import SlateRules
from foretaste.serving.breaker import Breaker
from foretaste.serving.cursors import LONGEST, MOST_SHOWN, next_cursor, shown_before
from foretaste.serving.pages import Pages
from foretaste.testing.contracts.telemetry import samples

NAMES = [f"item-{number}" for number in range(2000)]
ASKED = Query(now=0, seed=0, user_id="anna", k=2)


def slate_of(*items):
    return SimpleNamespace(items=[SimpleNamespace(item_idx=item, item_id=NAMES[item]) for item in items])


def cursor_after(items, shown=(), asked=ASKED, k=None):
    names = [NAMES[item] for item in shown]
    return next_cursor(asked, len(items) if k is None else k, slate_of(*items), names, shown)


@given(st.lists(st.integers(0, 1999), min_size=1, max_size=200, unique=True), st.integers(0, 199))
def test_a_cursor_says_what_all_pages_before_showed(items, before):
    shown, page = items[: min(before, len(items) - 1)], items[min(before, len(items) - 1) :]
    cursor = cursor_after(page, shown)
    assert sorted(shown_before(cursor, ASKED, NAMES)) == sorted(NAMES[item] for item in items)
    assert len(cursor) <= 40 + 4 * len(items)


def test_the_last_page_has_no_cursor():
    assert cursor_after([1], k=2) is None
    assert cursor_after([], k=1) is None
    assert cursor_after(range(10), shown=list(range(10, MOST_SHOWN + 1))) is None
    assert len(cursor_after(range(10), shown=list(range(10, MOST_SHOWN)))) < LONGEST


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": "ben"},
        {"item_id": "a"},
        {"scenario": "discover"},
        {"model": "ials"},
        {"filter": ("a > 1",)},
        {"filters": {"a": ("1",)}},
        {"exclude": {"a": ("1",)}},
        {"rules": SlateRules(forbidden=("a",))},
    ],
)
def test_a_cursor_of_another_question_is_refused(change):
    cursor = cursor_after([3, 1])
    with pytest.raises(InvalidQueryError, match="belongs to another question"):
        shown_before(cursor, msgspec.structs.replace(ASKED, **change), NAMES)


def test_a_cursor_stays_good_while_what_is_shown_of_the_answer_changes():
    later = msgspec.structs.replace(
        ASKED, now=9, seed=9, k=20, explain=True, exclude_ids=("x",), boost=("1",)
    )
    assert shown_before(cursor_after([3, 1]), later, NAMES) == ("item-1", "item-3")


def test_a_cursor_of_another_service_is_refused():
    cursor = cursor_after([3, 1])
    for names in (NAMES[:3], [name.upper() for name in NAMES]):
        with pytest.raises(InvalidQueryError, match="another service"):
            shown_before(cursor, ASKED, names)


@given(
    st.text(max_size=100) | st.binary(max_size=60).map(lambda raw: raw.hex()) | st.just("a" * (LONGEST + 1))
)
def test_what_is_no_cursor_is_refused(written):
    with pytest.raises(InvalidQueryError) as refused:
        shown_before(written, ASKED, NAMES)
    assert refused.value.field == "cursor"


@given(st.integers(0, 30), st.integers(0, 255))
def test_a_damaged_cursor_is_refused_or_says_the_same(place, byte):
    cursor = cursor_after([3, 1, 700, 41])
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    damaged = cursor[: place % len(cursor)] + letters[byte % 64] + cursor[place % len(cursor) + 1 :]
    try:
        said = shown_before(damaged, ASKED, NAMES)
    except InvalidQueryError:
        return
    assert said == shown_before(cursor, ASKED, NAMES)


def pages_of(memory=None, own=None, telemetry=None):
    return Pages(
        own or MemoryPageMemory(),
        telemetry or MemoryTelemetry(),
        memory=memory,
        breaker=Breaker(random=lambda: 1.0),
    )


def best_of_the_rest(shown):
    return [item for item in NAMES if item not in shown][:3]


def box(pages, *, keep=True):
    return pages.answered("page", best_of_the_rest, lambda items: items, keep=keep)


def test_a_box_shows_nothing_that_those_before_it_showed():
    pages = pages_of()
    assert box(pages, keep=False) == box(pages) == NAMES[:3]
    assert box(pages) == NAMES[3:6]


def test_boxes_answered_at_once_show_different_things():
    pages = pages_of()
    with ThreadPoolExecutor(8) as pool:
        shown = [item for items in pool.map(lambda _: box(pages), range(16)) for item in items]
    assert sorted(shown) == sorted(NAMES[:48])


class Away:
    """A memory that nobody reaches from some call on."""

    def __init__(self, good=0):
        self.good, self.calls, self.inner = good, 0, MemoryPageMemory()

    def _call(self):
        self.calls += 1
        if self.calls > self.good:
            raise UnavailableError("away")

    def shown(self, page_id):
        self._call()
        return self.inner.shown(page_id)

    def add(self, page_id, item_ids, after):
        self._call()
        return self.inner.add(page_id, item_ids, after)

    def close(self):
        self.inner.close()


def test_while_the_shared_memory_is_away_the_processs_own_does():
    telemetry, away = MemoryTelemetry(), Away()
    pages = pages_of(away, telemetry=telemetry)
    assert [box(pages) for _ in range(9)] == [NAMES[at : at + 3] for at in range(0, 27, 3)]
    assert away.calls < 9
    assert samples(telemetry)["recommendation_page_errors_total",] == away.calls


def test_a_memory_that_goes_in_the_middle_of_a_box_breaks_no_answer():
    pages = pages_of(Away(good=1))
    assert box(pages) == NAMES[:3]
