"""What is described for one question scores as if the catalog had it, and leaves no trace."""

import msgspec
import numpy as np
import pytest

from foretaste.domain.event import EventColumns
from foretaste.domain.item import CatalogEntry, Item
from foretaste.features.recency import Recency
from foretaste.models.cold_items import ColdItemsConfig
from foretaste.models.cold_sharing import share_knowledge
from foretaste.models.content import ContentConfig
from foretaste.models.dense_content import LatentConfig
from foretaste.models.ease import EaseConfig
from foretaste.models.guests import Guests
from foretaste.models.ials import IALSConfig
from foretaste.models.interface import Moment
from foretaste.testing.clustered_shop import MINUTE, N_ITEMS, WORDS, clustered_shop

IALS = IALSConfig(dim=16, regularization=0.01, unobserved=4.0, recency=Recency())
EASE = EaseConfig(regularization=50.0, recency=Recency())
FIXED = {"way": "likeness", "words": 0.5, "gain": 1.5, "penalty": 1.0}
LEARNERS = {
    "ials": ColdItemsConfig(base=IALS, **FIXED),
    "ials by regression": ColdItemsConfig(base=IALS, **{**FIXED, "way": "ridge"}),
    "ease": ColdItemsConfig(base=EASE, **FIXED),
    "content": ContentConfig(),
    "latent": LatentConfig(),
}
KNOWN = N_ITEMS + 1
"""An item with events, of which the catalog says nothing."""
GUESTS = np.array([KNOWN, KNOWN + 3, KNOWN + 4, KNOWN + 5], np.int32)
TEXTS = (WORDS[1], WORDS[2], f"{WORDS[0]} {WORDS[3]} Ünheard", "")


@pytest.fixture(scope="module")
def shop():
    return clustered_shop()


@pytest.fixture(scope="module")
def state():
    """Return the state of the shop after some people took the item that the catalog lacks."""
    state = clustered_shop.__wrapped__(0).state
    n, last = 3, state.seq
    state.apply(
        EventColumns(
            previous_seq=last,
            seq=np.arange(last + 1, last + 1 + n),
            user=np.arange(n, dtype=np.int32),
            item=np.full(n, KNOWN, np.int32),
            type=np.ones(n, np.int16),
            time=np.full(n, 1_700_000_000_000_000 + 10_000 * MINUTE) + np.arange(n),
            key=np.arange(n) + 10**9,
            value=np.full(n, np.nan, np.float32),
        )
    )
    return state


@pytest.fixture(scope="module", params=list(LEARNERS))
def model(request, shop):
    return LEARNERS[request.param].fit(shop.interactions, 0, shop.catalog)


def described():
    return [Item(item_id=f"guest {n}", title="A title", text=text) for n, text in enumerate(TEXTS)]


def as_guests(shop, state):
    guests = Guests(GUESTS, described())
    return Moment(now=shop.moment.now, items=state.items, catalog=shop.catalog, guests=guests)


def in_the_catalog(shop, state):
    entries = [
        CatalogEntry(ordinal=int(ordinal), version=shop.catalog.version + 1, item=item)
        for ordinal, item in zip(GUESTS, described(), strict=True)
    ]
    return Moment(now=shop.moment.now, items=state.items, catalog=shop.catalog.apply(entries))


def test_a_guest_scores_as_the_same_item_in_the_catalog(model, shop, state):
    for user in (5, 6, 7):
        history = shop.history(user)
        ours = model.score_guests(history, as_guests(shop, state))
        theirs = model.score(msgspec.structs.replace(history, memo={}), in_the_catalog(shop, state), GUESTS)
        if model.name == "latent":  # a product of matrices, whose last bits vary with the shape
            assert ours == pytest.approx(theirs, abs=1e-5)
        else:
            assert ours.tobytes() == theirs.tobytes()
        assert ours.any()


def test_a_guest_has_the_vector_of_the_same_item_in_the_catalog(model, shop, state):
    ours = model.guest_vectors(as_guests(shop, state))
    model.score(shop.history(5), in_the_catalog(shop, state))
    theirs = model.vectors(GUESTS)
    assert (ours is None) == (theirs is None)
    if ours is not None:
        assert ours == pytest.approx(theirs, abs=1e-6)


def test_an_explanation_sums_to_the_guest_s_score(model, shop, state):
    at, history = as_guests(shop, state), shop.history(5)
    shares = model.explain_each(history, GUESTS[::-1], at)
    assert shares.sum(axis=1)[::-1] == pytest.approx(model.score_guests(history, at), rel=1e-3, abs=1e-5)


def test_guests_change_no_other_score_and_nothing_that_is_kept(model, shop, state):
    plain = Moment(now=shop.moment.now, items=state.items, catalog=shop.catalog)
    history = shop.history(5)
    before, basis = model.score(history, plain), model.basis(plain)
    model.score_guests(history, as_guests(shop, state))
    assert model.score(history, as_guests(shop, state)).tobytes() == before.tobytes()
    assert model.basis(plain) is basis


def test_who_comes_again_scores_as_at_first_whoever_else_comes(model, shop, state):
    history, at = shop.history(5), as_guests(shop, state)
    first = model.score_guests(history, at)
    few = Guests(GUESTS[[0, 2]], [described()[place] for place in (0, 2)])
    assert model.score_guests(history, replace_guests(at, few)).tobytes() == first[[0, 2]].tobytes()
    stranger = Item(item_id="stranger", text=f"{WORDS[3]} quite new")
    more = Guests(np.append(GUESTS, GUESTS[-1] + 1), [*described(), stranger])
    assert model.score_guests(history, replace_guests(at, more))[:-1].tobytes() == first.tobytes()


def replace_guests(at, guests):
    return Moment(now=at.now, items=at.items, catalog=at.catalog, guests=guests)


def test_models_that_learnt_the_same_hold_it_once_and_score_as_before(shop, state):
    learners = [LEARNERS[name] for name in ("ials", "ease", "content")]
    apart, shared = ([each.fit(shop.interactions, 0, shop.catalog) for each in learners] for _ in range(2))
    share_knowledge(shared)
    factors, rows, content = shared
    assert factors.knowledge.anchors is rows.knowledge.anchors
    assert content.vocabulary is factors.knowledge.features.text.vocabulary
    for ours, theirs in zip(shared, apart, strict=True):
        at, history = as_guests(shop, state), shop.history(5)
        own = ours.score_guests(history, at)
        assert (
            own.tobytes()
            == theirs.score_guests(
                msgspec.structs.replace(history, memo={}), as_guests(shop, state)
            ).tobytes()
        )
