"""What is kept of a history follows events on new items: it is what a question of now would make anew."""

import gc
from weakref import ref

import msgspec
import numpy as np
import pytest

from foretaste.domain.event import EventColumns
from foretaste.domain.item import CatalogEntry, Item
from foretaste.features.recency import Recency
from foretaste.models.cold_items import ColdItemsConfig
from foretaste.models.ease import EaseConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.interface import Moment
from foretaste.pipeline import reasons
from foretaste.retrieval import kept_rows
from foretaste.retrieval.kept_rows import row_of
from foretaste.retrieval.masks import listed
from foretaste.testing.clustered_shop import MINUTE, N_ITEMS, N_USERS, TASTES, WORDS, clustered_shop

FIXED = {"way": "likeness", "words": 0.5, "gain": 1.0, "penalty": 1.0, "patience": 1.0}
IALS = IALSConfig(dim=16, regularization=0.01, unobserved=4.0, recency=Recency())
WAYS = {
    "searched": ColdItemsConfig(base=IALS, **FIXED),
    "factors": ColdItemsConfig(base=IALS, **FIXED),
    "rows": ColdItemsConfig(base=EaseConfig(regularization=50.0, recency=Recency()), **FIXED),
    "packed": ColdItemsConfig(base=EaseConfig(regularization=50.0, recency=Recency()), **FIXED),
}
FIRST_NEW, N_NEW, AT_HAND = N_ITEMS + 1, 24, 12


@pytest.fixture(params=list(WAYS))
def world(request, monkeypatch):
    """A model, a shop with items that came after its training, and a row kept of few places."""
    monkeypatch.setattr(kept_rows, "PLACES", AT_HAND)
    if request.param == "searched":
        monkeypatch.setattr("foretaste.models.listing.LEAST_LISTED", 1)
        monkeypatch.setattr("foretaste.models.listing.ENOUGH", 0.3)
        monkeypatch.setattr("foretaste.models.listing.LOOKS", (0.7,))
        monkeypatch.setattr("foretaste.models.listing.MOST_LOOKED", 100.0)
    if request.param == "packed":
        monkeypatch.setattr(kept_rows, "LEAST_PACKED", 1)
        monkeypatch.setattr(kept_rows, "WORTH_PACKING", 10.0)
    shop = clustered_shop.__wrapped__(0)
    catalog = shop.catalog
    for number in range(N_NEW):
        taste = number % TASTES
        item = Item(item_id=f"new-{number}", text=WORDS[taste], categories=(f"Taste {taste}",))
        entry = CatalogEntry(ordinal=FIRST_NEW + number, version=catalog.version + 1, item=item)
        catalog = catalog.apply([entry])
    model = WAYS[request.param].fit(shop.interactions, 0, shop.catalog)
    return model, shop, catalog


def taken(state, user, item):
    return EventColumns(
        previous_seq=state.seq,
        seq=np.array([state.seq + 1]),
        user=np.array([user], np.int32),
        item=np.array([item], np.int32),
        type=np.ones(1, np.int16),
        time=np.array([1_700_000_000_000_000 + (10_000 + state.seq) * MINUTE]),
        key=np.array([10**9 + state.seq]),
        value=np.full(1, np.nan, np.float32),
    )


def moment_of(shop, catalog):
    return Moment(now=shop.moment.now, items=shop.state.items, catalog=catalog)


def of_new_items(history):
    """Return a history that ends with a new item."""
    item = np.append(history.item[1:], np.int32(FIRST_NEW + 1)).astype(np.int32)
    return msgspec.structs.replace(history, item=item, memo={})


def said(model, history, moment, available, passing):
    row = row_of(model, history, moment, available, 0, {})
    among = row.among(passing)
    scores = np.zeros(moment.n_items, np.float32)
    row.write_keys(scores)
    return scores.tobytes(), [
        (each.entries[:AT_HAND].tobytes() if each.query else each.entries[0].tobytes(), each.are_all)
        for each in (row, among)
    ]


@pytest.mark.parametrize("history_of", [lambda history: history, of_new_items], ids=["trained", "new"])
def test_a_row_that_followed_is_the_row_made_anew(world, history_of):
    model, shop, catalog = world
    history, draw = history_of(shop.history(1)), np.random.default_rng(0)
    available = np.ones(catalog.n_items, np.bool_)
    passing = listed(draw.random(catalog.n_items) < 0.4, available, {})
    places, followed = [], 0
    for _ in range(40):
        moment = moment_of(shop, catalog)
        kept = said(model, history, moment, available, passing)
        assert kept == said(model, msgspec.structs.replace(history, memo={}), moment, available, passing)
        row = history.memo[model].row
        followed += any(row is place for place in places)
        places.append(row)
        item = FIRST_NEW + int(draw.integers(N_NEW)) if draw.random() < 0.6 else int(draw.integers(N_ITEMS))
        shop.state.apply(taken(shop.state, int(draw.integers(N_USERS)), item))
    assert followed >= 10  # it does follow, mostly


def test_no_mask_of_the_catalog_outlives_its_use_by_what_is_kept_of_a_history(world):
    model, shop, catalog = world
    history, moment, lists = shop.history(1), moment_of(shop, catalog), {}
    available = np.ones(catalog.n_items, np.bool_)
    passing = listed(np.arange(catalog.n_items) % 2 == 0, available, lists)
    said(model, history, moment, available, passing)
    masks = [ref(passing), ref(passing.shown), ref(available)]
    lists.clear()
    del passing, available
    gc.collect()
    assert [mask() for mask in masks] == [None, None, None]
    assert history.memo[model].row.nbytes > 0
    shop.state.apply(taken(shop.state, 2, FIRST_NEW))
    available = np.ones(catalog.n_items, np.bool_)
    passing = listed(np.arange(catalog.n_items) % 3 == 0, available, {})
    anew = msgspec.structs.replace(history, memo={})
    again, moment = (
        said(model, history, moment_of(shop, catalog), available, passing),
        moment_of(shop, catalog),
    )
    assert again == said(model, anew, moment, available, passing)


def test_what_speaks_for_an_item_is_told_again_once_that_item_changed(world):
    model, shop, catalog = world
    history, draw = shop.history(1), np.random.default_rng(1)
    items = [3, FIRST_NEW, FIRST_NEW + 5, FIRST_NEW + 10]
    for _ in range(12):
        moment = moment_of(shop, catalog)
        again = msgspec.structs.replace(history, memo={})
        assert reasons._told_by(model, history, moment, items) == reasons._told_by(
            model, again, moment, items
        )
        shop.state.apply(
            taken(shop.state, int(draw.integers(N_USERS)), FIRST_NEW + int(draw.integers(N_NEW)))
        )
