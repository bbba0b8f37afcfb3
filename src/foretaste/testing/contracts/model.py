"""The promises of `models.interface.Model`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats
from foretaste.domain.history import History
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.item_state import no_items
from foretaste.models.interface import Learner, Model, Moment
from foretaste.testing.clustered_shop import N_ITEMS, N_USERS, Shop, clustered_shop

UNSEEN = N_ITEMS
"""The item of the shop's catalog that nobody took to yet."""
NO_ITEM = 10**6
SEED = 7


def assert_same_arrays(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> None:
    """Assert that two models learnt the same, bit for bit."""
    assert sorted(one) == sorted(other)
    for name, array in one.items():
        assert array.dtype == other[name].dtype, name
        assert array.shape == other[name].shape, name
        assert array.tobytes() == other[name].tobytes(), name


def a_history(*items: int, weight: float = 1.0) -> History:
    """Return one event for each of `items`, a minute apart, all of the same weight."""
    n = len(items)
    return History(
        item=np.array(items, np.int32),
        weight=np.full(n, weight, np.float32),
        time=np.arange(n, dtype=np.int64) * 60_000_000,
        type=np.zeros(n, np.int16),
    )


class ModelContract(ABC):
    """Subclass it and say which configuration is fitted; `floor` is the least quality on the shop.

    Quality is the mean place of the item a person took to next among the items they had not, from 0
    (last) to 1 (first): 0.5 is random.
    """

    floor = 0.75
    personal = True
    """Whether the history plays a part."""

    @abstractmethod
    def learner(self) -> Learner:
        """Return the configuration."""

    @pytest.fixture(scope="class")
    @classmethod
    def shop(cls) -> Shop:
        return clustered_shop()

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, shop: Shop) -> Model:
        return cls().learner().fit(shop.interactions, SEED, shop.catalog)

    def test_scores_are_one_finite_float32_per_item(self, model: Model, shop: Shop) -> None:
        scores = model.score(shop.history(3), shop.moment)
        assert scores.dtype == np.float32
        assert scores.shape == (shop.moment.n_items,)
        assert np.isfinite(scores).all()

    def test_given_items_score_as_they_do_among_all(self, model: Model, shop: Shop) -> None:
        items = np.array([5, 0, 5, N_ITEMS - 1, UNSEEN], np.int32)
        every = model.score(shop.history(3), shop.moment)
        some = model.score(shop.history(3), shop.moment, items)
        assert some.dtype == np.float32
        assert some == pytest.approx(every[items], rel=1e-4, abs=1e-5)

    def test_unknown_items_score_zero_and_explain_to_zero(self, model: Model, shop: Shop) -> None:
        strangers = np.array([-1, NO_ITEM], np.int32)
        assert model.score(shop.history(3), shop.moment, strangers).tolist() == [0.0, 0.0]
        for stranger in strangers.tolist():
            assert not model.explain(shop.history(3), stranger, shop.moment).any()

    def test_an_empty_history_is_allowed(self, model: Model, shop: Shop) -> None:
        scores = model.score(a_history(), shop.moment)
        assert scores.shape == (shop.moment.n_items,)
        assert np.isfinite(scores).all()
        assert model.explain(a_history(), 3, shop.moment).shape == (0,)

    def test_events_on_unknown_items_change_nothing(self, model: Model, shop: Shop) -> None:
        known = a_history(4, 8)
        only_unknown = a_history(-1, NO_ITEM)
        scores = model.score(only_unknown, shop.moment)
        assert scores == pytest.approx(model.score(a_history(), shop.moment))
        among = a_history(NO_ITEM, -1, 4, 8)
        assert model.score(among, shop.moment) == pytest.approx(model.score(known, shop.moment), rel=1e-4)
        assert not model.explain(among, 12, shop.moment)[:2].any()

    def test_the_explanation_sums_to_what_the_history_adds(self, model: Model, shop: Shop) -> None:
        without = model.score(a_history(), shop.moment)
        for user in range(0, N_USERS, 17):
            history = shop.history(user)
            scores = model.score(history, shop.moment)
            for item in (0, 7, N_ITEMS - 1, UNSEEN):
                shares = model.explain(history, item, shop.moment)
                assert shares.dtype == np.float32
                assert shares.shape == (len(history),)
                assert shares.sum() == pytest.approx(scores[item] - without[item], rel=1e-3, abs=1e-4)

    def test_items_are_explained_at_once_as_one_by_one(self, model: Model, shop: Shop) -> None:
        history, items = shop.history(3), np.array([5, 0, UNSEEN, 5, -1, NO_ITEM], np.int32)
        shares = model.explain_each(history, items, shop.moment)
        assert shares.dtype == np.float32
        assert shares.shape == (len(items), len(history))
        for row, item in zip(shares, items.tolist(), strict=True):
            assert row == pytest.approx(model.explain(history, item, shop.moment), rel=1e-4, abs=1e-6)
        assert model.explain_each(a_history(), items, shop.moment).shape == (len(items), 0)

    def test_a_dislike_speaks_against_what_is_alike(self, model: Model, shop: Shop) -> None:
        liked, disliked = a_history(0), a_history(0, weight=-1.0)
        like_it = np.array([4, 8, 12], np.int32)
        for_it = model.score(liked, shop.moment, like_it).sum()
        against_it = model.score(disliked, shop.moment, like_it).sum()
        assert np.isfinite(against_it)
        assert (against_it < for_it) == self.personal

    def test_scoring_changes_neither_history_nor_model(self, model: Model, shop: Shop) -> None:
        history = shop.history(5)
        before = history.item.tobytes(), history.weight.tobytes(), history.time.tobytes()
        first = model.score(history, shop.moment)
        model.score(shop.history(6), shop.moment)
        model.explain(history, 3, shop.moment)
        assert model.score(history, shop.moment).tobytes() == first.tobytes()
        assert before == (history.item.tobytes(), history.weight.tobytes(), history.time.tobytes())

    def test_the_same_seed_learns_the_same(self, model: Model, shop: Shop) -> None:
        again = self.learner().fit(shop.interactions, SEED, shop.catalog)
        assert_same_arrays(model.arrays(), again.arrays())
        assert again.config == model.config

    def test_config_and_arrays_rebuild_the_model(self, model: Model, shop: Shop) -> None:
        config = msgspec.json.decode(msgspec.json.encode(model.config))
        arrays = {name: array.copy() for name, array in model.arrays().items()}
        rebuilt = type(model).from_arrays(config, arrays)
        assert rebuilt.config == model.config
        assert_same_arrays(model.arrays(), rebuilt.arrays())
        for user in (1, 2, 3):
            scores = model.score(shop.history(user), shop.moment)
            assert rebuilt.score(shop.history(user), shop.moment).tobytes() == scores.tobytes()

    def test_an_item_younger_than_the_model_has_a_score(self, model: Model, shop: Shop) -> None:
        grown = Moment(
            now=shop.moment.now, items=shop.state.items, catalog=shop.catalog.apply([], n_items=N_ITEMS + 9)
        )
        scores = model.score(shop.history(3), grown)
        assert scores.shape == (N_ITEMS + 9,)
        assert not scores[N_ITEMS + 1 :].any()

    def test_a_moment_that_knows_nothing_yet_is_allowed(self, model: Model, shop: Shop) -> None:
        nothing = Moment(now=0, items=no_items(), catalog=CatalogColumns.empty())
        assert model.score(shop.history(3), nothing).shape == (0,)

    def test_vectors_have_length_one_or_zero(self, model: Model) -> None:
        vectors = model.vectors(np.array([0, 1, -1, NO_ITEM], np.int32))
        if vectors is not None:
            assert vectors.dtype == np.float32
            assert np.linalg.norm(vectors, axis=1) == pytest.approx([1.0, 1.0, 0.0, 0.0], abs=1e-5)

    def test_no_interactions_make_a_model_without_opinion(self, shop: Shop) -> None:
        few = shop.interactions
        none = type(few)(few.user[:0], few.item[:0], few.weight[:0], few.time[:0], 0, 0)
        model = self.learner().fit(none, SEED, CatalogColumns.empty())
        assert model.score(shop.history(3), shop.moment).shape == (shop.moment.n_items,)

    def test_it_finds_what_people_take_to_next(self, model: Model, shop: Shop) -> None:
        places = []
        for user in range(N_USERS):
            history = shop.history(user)
            scores = model.score(history, shop.moment)[:N_ITEMS]
            open_items = np.setdiff1d(np.arange(N_ITEMS), history.item)
            places.append(_place(scores, open_items, int(shop.next_item[user])))
        assert np.mean(places) >= self.floor


def _place(scores: Floats, among: NDArray[np.int64], item: int) -> float:
    """Return the share of the others of `among` that `item` is above; equals count half."""
    others = scores[among[among != item]]
    below = (others < scores[item]).sum() + 0.5 * (others == scores[item]).sum()
    return float(below / len(others))
