"""Items that came after training take part in every factor and item-to-item model at once."""

from dataclasses import replace

import numpy as np
import pytest

from foretaste.domain.event import EventColumns
from foretaste.domain.interactions import Interactions
from foretaste.domain.item import CatalogEntry, Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.item_state import no_items
from foretaste.features.recency import Recency
from foretaste.models.cold_choice import best_penalty, ridge_map
from foretaste.models.cold_items import ColdFactors, ColdItemsConfig, ColdRows
from foretaste.models.ease import Ease, EaseConfig
from foretaste.models.entries import items_of
from foretaste.models.ials import IALSConfig
from foretaste.models.interface import Moment
from foretaste.models.item_features import principal_axes
from foretaste.models.vector_search import best_vectors
from foretaste.testing.clustered_shop import MINUTE, N_ITEMS, N_USERS, TASTES, WORDS, clustered_shop

IALS = IALSConfig(dim=16, regularization=0.01, unobserved=4.0, recency=Recency())
EASE = EaseConfig(regularization=50.0, recency=Recency())
FIXED = {"way": "likeness", "words": 0.5, "gain": 1.0, "penalty": 1.0}
WAYS = {
    "ials": ColdItemsConfig(base=IALS, **FIXED),
    "ials by regression": ColdItemsConfig(base=IALS, **{**FIXED, "way": "ridge"}),
    "ease": ColdItemsConfig(base=EASE, **FIXED),
}
NEW = N_ITEMS + 1
"""The ordinal that the next item gets."""


@pytest.fixture(scope="module")
def shop():
    return clustered_shop()


@pytest.fixture(scope="module", params=list(WAYS))
def model(request, shop):
    return WAYS[request.param].fit(shop.interactions, 0, shop.catalog)


def with_item(catalog, ordinal, *, taste=None, title=""):
    text = "" if taste is None else WORDS[taste]
    categories = () if taste is None else (f"Taste {taste}",)
    item = Item(item_id=f"new-{ordinal}", title=title, text=text, categories=categories)
    return catalog.apply([CatalogEntry(ordinal=ordinal, version=catalog.version + 1, item=item)])


def moment(shop, catalog):
    return Moment(now=shop.moment.now, items=shop.state.items, catalog=catalog)


def fans_of(taste):
    return [user for user in range(N_USERS) if user % TASTES == taste]


def mean_score(model, shop, users, at, item):
    items = np.array([item], np.int32)
    return np.mean([model.score(shop.history(user), at, items)[0] for user in users])


def test_the_models_are_what_they_are_called(shop):
    built = {name: learner.fit(shop.interactions, 0, shop.catalog) for name, learner in WAYS.items()}
    assert {name: type(model) for name, model in built.items()} == {
        "ials": ColdFactors,
        "ials by regression": ColdFactors,
        "ease": ColdRows,
    }
    assert {model.name for model in built.values()} == {"ials", "ease"}


def test_a_new_item_is_above_most_others_for_those_whose_taste_it_matches(model, shop):
    at = moment(shop, with_item(shop.catalog, NEW, taste=1))
    fans = mean_score(model, shop, fans_of(1), at, NEW)
    strangers = mean_score(model, shop, fans_of(2), at, NEW)
    assert fans > strangers
    scores = model.score(shop.history(fans_of(1)[0]), at)
    other_tastes = [item for item in range(N_ITEMS) if item % TASTES != 1]
    assert np.mean(scores[other_tastes] < scores[NEW]) > 0.9


def test_an_item_of_which_nothing_is_known_scores_nothing(model, shop):
    at = moment(shop, with_item(shop.catalog, NEW))
    assert model.score(shop.history(3), at)[NEW] == 0.0


def test_what_was_trained_scores_as_before(model, shop):
    at = moment(shop, with_item(shop.catalog, NEW, taste=1))
    for user in (0, 1, 2):
        history = shop.history(user)
        assert model.score(history, at)[:N_ITEMS].tobytes() == (
            model.base.score(history, shop.moment)[:N_ITEMS].tobytes()
        )


def test_a_text_that_changes_changes_the_score_at_once(model, shop):
    first = moment(shop, with_item(shop.catalog, NEW, taste=1))
    before = mean_score(model, shop, fans_of(2), first, NEW)
    changed = moment(shop, with_item(first.catalog, NEW, taste=2))
    assert mean_score(model, shop, fans_of(2), changed, NEW) > before


def test_a_deleted_item_is_forgotten(model, shop):
    catalog = with_item(shop.catalog, NEW, taste=1)
    model.score(shop.history(1), moment(shop, catalog))
    gone = catalog.apply([CatalogEntry(ordinal=NEW, version=catalog.version + 1, item=None)])
    assert model.score(shop.history(1), moment(shop, gone))[NEW] == 0.0


def test_scores_do_not_depend_on_what_was_asked_before(model, shop):
    catalog = with_item(shop.catalog, NEW, taste=1)
    later = with_item(catalog, NEW + 1, taste=3)
    history = shop.history(1)
    once = model.score(history, moment(shop, later))
    model.score(history, moment(shop, catalog))
    model.score(history, Moment(now=0, items=no_items(), catalog=CatalogColumns.empty()))
    assert model.score(history, moment(shop, later)).tobytes() == once.tobytes()


def test_an_explanation_sums_to_the_new_item_s_score(model, shop):
    at = moment(shop, with_item(shop.catalog, NEW, taste=1))
    history = shop.history(1)
    shares = model.explain(history, NEW, at)
    assert shares.sum() == pytest.approx(model.score(history, at)[NEW], rel=1e-3, abs=1e-5)


def test_the_more_events_an_item_has_the_more_they_say_and_the_less_its_words(model, shop):
    """An item that is described as of taste 0 is taken by people of taste 3."""
    catalog = with_item(shop.catalog, NEW, taste=0)
    state = clustered_shop.__wrapped__(0).state
    gains = []
    for takers in (fans_of(3)[:1], fans_of(3)[1:9]):
        at = Moment(now=shop.moment.now, items=state.items, catalog=catalog)
        gains.append(_of_taste(model, shop, at, 3) - _of_taste(model, shop, at, 0))
        state.apply(_taken(state, takers))
    at = Moment(now=shop.moment.now, items=state.items, catalog=catalog)
    gains.append(_of_taste(model, shop, at, 3) - _of_taste(model, shop, at, 0))
    assert gains[0] < gains[1] < gains[2]
    assert gains[2] > 0.0


def test_events_followed_one_by_one_give_the_scores_of_all_looked_at_at_once(model, shop):
    catalog = with_item(with_item(shop.catalog, NEW, taste=1), NEW + 1, taste=2)
    state, history = clustered_shop.__wrapped__(0).state, shop.history(1)

    def scores():
        return model.score(history, Moment(now=shop.moment.now, items=state.items, catalog=catalog))

    for taker in fans_of(2)[:3]:
        scores()
        state.apply(_taken(state, [taker]))
    followed = scores()
    model.score(history, moment(shop, catalog))  # of another state: what was followed is looked through anew
    assert scores().tobytes() == followed.tobytes()


def test_a_search_knows_the_vectors_of_items_that_events_told_of_one_by_one(shop, monkeypatch):
    monkeypatch.setattr("foretaste.models.listing.LEAST_LISTED", 1)
    monkeypatch.setattr("foretaste.models.listing.MOST_LOOKED", 100.0)
    model = WAYS["ials"].fit(shop.interactions, 0, shop.catalog)
    catalog = with_item(with_item(shop.catalog, NEW, taste=1), NEW + 1, taste=2)
    state, history = clustered_shop.__wrapped__(0).state, shop.history(1)

    def found():
        now = Moment(now=shop.moment.now, items=state.items, catalog=catalog)
        query, shown = model.query(history, now), np.ones(now.n_items, np.bool_)
        return query, best_vectors(query, shown, now.n_items, now.n_items).entries

    for taker in fans_of(2)[:3]:
        found()
        state.apply(_taken(state, [taker]))
    query, followed = found()
    catalog = with_item(catalog, NEW + 2, taste=2)  # looked through anew, with one more
    assert len(found()[1]) == len(followed) + 1
    catalog = with_item(catalog, NEW + 2)
    assert found()[1].tobytes() == followed.tobytes()
    scores = query.vectors.products(query.vector)
    assert scores[NEW] > 0.0
    assert sorted(items_of(followed)) == np.flatnonzero(scores > 0.0).tolist()
    model.query(history, moment(shop, catalog))  # of another state: what was followed is looked through anew
    assert found()[1].tobytes() == followed.tobytes()


def test_events_on_items_beside_a_new_one_tell_of_it_whether_followed_or_looked_at_at_once(model, shop):
    catalog = with_item(shop.catalog, NEW, taste=1)
    state, history = clustered_shop.__wrapped__(0).state, shop.history(1)

    def scores():
        return model.score(history, Moment(now=shop.moment.now, items=state.items, catalog=catalog))

    taker = fans_of(2)[0]
    state.apply(_taken(state, [taker]))
    alone = scores()
    for beside in (2, 2 + TASTES):
        state.apply(_taken(state, [taker], item=beside))
        scores()
    followed = scores()
    assert followed[NEW] != alone[NEW]
    model.score(history, moment(shop, catalog))  # of another state: what was followed is looked through anew
    assert scores().tobytes() == followed.tobytes()


def _of_taste(model, shop, at, taste):
    return mean_score(model, shop, fans_of(taste)[10:30], at, NEW)


def _taken(state, users, item=NEW):
    n, last = len(users), state.seq
    return EventColumns(
        previous_seq=last,
        seq=np.arange(last + 1, last + 1 + n),
        user=np.array(users, np.int32),
        item=np.full(n, item, np.int32),
        type=np.ones(n, np.int16),
        time=np.full(n, 1_700_000_000_000_000 + 10_000 * MINUTE) + np.arange(n),
        key=np.arange(n) + 10**9 + last,
        value=np.full(n, np.nan, np.float32),
    )


def test_a_catalog_that_says_nothing_leaves_the_model_alone(shop):
    bare = CatalogColumns.of([Item(item_id=str(number)) for number in range(N_ITEMS)])
    assert type(ColdItemsConfig(base=EASE).fit(shop.interactions, 0, bare)) is Ease
    assert type(ColdItemsConfig(base=EASE).fit(shop.interactions, 0, CatalogColumns.empty())) is Ease


def test_what_is_left_open_is_chosen_on_items_that_are_held_out(shop):
    config = ColdItemsConfig(base=EASE).fit(shop.interactions, 0, shop.catalog).config
    assert config.way == "likeness"
    assert None not in {config.words, config.gain, config.penalty}
    again = config.fit(shop.interactions, 0, shop.catalog)
    assert again.config == config


def test_words_that_mislead_are_followed_from_afar_at_most(shop):
    """New items come all the time, described by taste, and nobody wants them but people of another one."""
    interactions, catalog = _with_new_ones(shop, wanted=False)
    config = ColdItemsConfig(base=EASE).fit(interactions, 0, catalog).config
    assert getattr(config, "gain", 0.0) <= 0.5


def test_words_that_tell_are_followed(shop):
    interactions, catalog = _with_new_ones(shop, wanted=True)
    model = ColdItemsConfig(base=EASE).fit(interactions, 0, catalog)
    assert type(model) is ColdRows
    assert model.config.gain > 0.0


def _with_new_ones(shop, *, wanted):
    """Return the shop's log with twenty items that its last tenth brought, described by taste.

    People of that taste take to them, or, unless `wanted`, all but a few take something known instead,
    while hundreds of others are described just alike.
    """
    n, cut = len(shop.interactions), int(0.9 * len(shop.interactions))
    item = shop.interactions.item.copy()
    for place in range(cut + 1, n):
        taste = int(shop.interactions.user[place]) % TASTES
        if wanted or place % 4 == 0:
            other = taste if wanted else (taste + 2) % TASTES
            item[place] = NEW + TASTES * (place % 5) + other
    catalog = shop.catalog
    for number in range(20 if wanted else 400):
        catalog = with_item(catalog, NEW + number, taste=(NEW + number - NEW) % TASTES)
    user, weight, time = shop.interactions.user, shop.interactions.weight, shop.interactions.time
    return Interactions(user, item, weight, time, N_USERS, catalog.n_items), catalog


def test_a_regression_finds_a_linear_map():
    generator = np.random.default_rng(0)
    content = generator.standard_normal((400, 6)).astype(np.float32)
    truth = generator.standard_normal((6, 3)).astype(np.float32)
    factors = content @ truth + np.float32(0.5)
    count = generator.integers(1, 50, 400)
    learnt = ridge_map(content, factors, count, 1e-3)
    assert learnt[:-1] == pytest.approx(truth, abs=1e-2)
    assert learnt[-1] == pytest.approx(np.full(3, 0.5), abs=1e-2)
    noise = generator.standard_normal(factors.shape).astype(np.float32)
    few = np.where(np.arange(400) < 200, 1, 0)
    assert best_penalty(content, noise, few, 0) > best_penalty(content, factors, few, 0)


def test_axes_are_the_singular_vectors_and_the_same_each_time():
    from scipy import sparse  # noqa: PLC0415 - only this test needs it

    matrix = sparse.random(200, 60, 0.1, random_state=1, format="csr", dtype=np.float32)
    axes = principal_axes(matrix, 10, seed=3)
    exact = np.linalg.svd(matrix.toarray())[2][:10]
    assert np.abs(np.sum(axes.T * exact, axis=1))[:3] == pytest.approx(np.ones(3), abs=0.02)
    assert principal_axes(matrix, 10, seed=3).tobytes() == axes.tobytes()


def test_the_untimed_choose_on_items_drawn_by_lot(shop):
    untimed = replace(shop.interactions, time=np.zeros_like(shop.interactions.time), timed=False)
    model = ColdItemsConfig(base=EASE).fit(untimed, 0, shop.catalog)
    assert type(model) is ColdRows
    assert model.config.gain == 1.0
