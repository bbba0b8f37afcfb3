"""What there are millions of is not looked through by garbage collection: it holds no cycles."""

import gc

import pytest

from foretaste.domain.event import Event
from foretaste.domain.item import CatalogEntry, Item

ITEM = Item(item_id="a", categories=("b",), attributes={"price": 1.0})


@pytest.mark.parametrize(
    "each",
    [
        ITEM,
        CatalogEntry(ordinal=0, version=1, item=ITEM),
        Event(event_id="e", user_id="u", item_id="a", type="view", timestamp=0, context={"device": "tv"}),
    ],
    ids=lambda each: type(each).__name__,
)
def test_it_is_not_tracked(each):
    assert not gc.is_tracked(each)
