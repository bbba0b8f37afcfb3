"""A log that says nothing of times: nobody is taken to have done any of it just now."""

import polars as pl
import pytest

import foretaste as ft
from foretaste.app.importing import BATCH, import_events
from foretaste.app.recommender import Recommender
from foretaste.app.wiring import home_in_memory

ITEMS = [{"item_id": f"i{n}", "categories": ["odd" if n % 2 else "even"]} for n in range(9)]


@pytest.fixture
def rec():
    with Recommender(home_in_memory()) as opened:
        opened.put_items(ITEMS)
        yield opened


def lately(rec, user_id):
    return [place.item_id for place in rec.recommend(user_id, k=5) if "lately" in place.reason]


def test_an_import_without_times_is_no_interest_of_late(rec):
    frame = pl.DataFrame({"user_id": ["ann", "ben"], "item_id": ["i1", "i2"]})
    import_events(rec.home.log, ft.read_events(frame).chunks(BATCH))
    assert not lately(rec, "ann")
    assert len(rec.recommend("ann", k=5)) == 5


def test_what_a_person_does_now_is(rec):
    rec.record(user_id="ann", item_id="i1", type="click")
    assert lately(rec, "ann")
