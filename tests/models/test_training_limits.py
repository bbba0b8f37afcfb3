"""Past what memory and time allow, models ask less or hold less, and their configuration says so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models import cold_choice, graph_filter, ials, tuning
from foretaste.models.cold_items import ColdItemsConfig
from foretaste.models.graph_filter import GraphFilterConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.limits import affordable_questions, affordable_width
from foretaste.models.training_matrix import longest_within, with_histories_up_to
from foretaste.testing.clustered_shop import clustered_shop

NO_CATALOG = CatalogColumns.empty()


def log_of(lengths, n_items=50, *, timed=True):
    user = np.repeat(np.arange(len(lengths)), lengths).astype(np.int32)
    n = len(user)
    item = np.random.default_rng(0).integers(0, n_items, n).astype(np.int32)
    time = np.arange(n, dtype=np.int64)
    return Interactions(user, item, np.ones(n, np.float32), time, len(lengths), n_items, timed=timed)


def test_few_items_leave_questions_and_widths_as_they_are():
    assert affordable_questions(2000, 40_000, fewest=100) == 2000
    assert affordable_width(256, 40_000, narrowest=16, cells=96_000_000) == 256


def test_many_items_leave_fewer_questions_but_enough():
    assert affordable_questions(2000, 1_000_000, fewest=50) == 100
    assert affordable_questions(2000, 10**9, fewest=50) == 50


@given(st.integers(1, 512), st.integers(1, 10**9), st.integers(1, 64), st.integers(1, 10**9))
def test_a_width_is_within_the_limit_or_the_narrowest(width, rows, narrowest, cells):
    found = affordable_width(width, rows, narrowest=narrowest, cells=cells)
    assert found <= width
    assert found * rows <= cells or found <= narrowest


@given(st.lists(st.integers(0, 60), min_size=1, max_size=30), st.integers(1, 5_000))
def test_histories_are_cut_as_little_as_their_pairs_allow(lengths, pairs):
    lengths = np.array(lengths)
    longest = longest_within(lengths, pairs)

    def pairs_at(most):
        return int((np.minimum(lengths, most) ** 2).sum())

    if longest is None:
        assert pairs_at(lengths.max()) <= pairs
    else:
        assert pairs_at(longest) <= pairs or longest == 1
        assert pairs_at(longest + 1) > pairs


def test_of_a_long_history_the_latest_events_stay():
    kept = with_histories_up_to(log_of([5, 2, 9]), 3, seed=0)
    assert kept.user.tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    assert kept.time.tolist() == [2, 3, 4, 5, 6, 13, 14, 15]


def test_without_times_some_stay_by_lot():
    log = log_of([400, 2], timed=False)
    kept = with_histories_up_to(log, 100, seed=0)
    assert np.bincount(kept.user).tolist() == [100, 2]
    assert 100 < kept.time[:100].mean() < 300


def test_the_vectors_of_ials_are_shorter_where_there_are_many_items(monkeypatch):
    monkeypatch.setattr(ials, "MOST_CELLS", 50 * 32)
    model = IALSConfig(regularization=0.01, unobserved=8.0).fit(log_of([10] * 20), 0, NO_CATALOG)
    assert model.config.dim == 32
    assert model.item_factors.shape == (50, 32)


def test_the_graph_filter_says_to_what_it_was_limited(monkeypatch):
    monkeypatch.setattr(graph_filter, "MOST_NUMBERS", 50 * 64)
    monkeypatch.setattr(graph_filter, "MOST_ENTRIES", 50 * 25)
    monkeypatch.setattr(graph_filter, "MOST_PAIRS", 20 * 36)
    model = GraphFilterConfig(recency=Recency()).fit(log_of([10] * 20), 0, NO_CATALOG)
    assert (model.config.rank, model.config.neighbours, model.config.longest) == (64, 20, 6)
    assert np.diff(model.rows.start).max() <= 20


def test_what_its_configuration_says_makes_the_same_graph_filter_again(monkeypatch):
    monkeypatch.setattr(graph_filter, "MOST_PAIRS", 20 * 36)
    log = log_of([10] * 20)
    first = GraphFilterConfig(recency=Recency()).fit(log, 0, NO_CATALOG)
    again = first.config.fit(log, 0, NO_CATALOG)
    assert first.rows.value.tobytes() == again.rows.value.tobytes()


def test_questions_of_a_validation_part_are_fewer_where_each_scores_many_items(monkeypatch):
    monkeypatch.setattr(tuning, "FEWEST_QUERIES", 3)
    monkeypatch.setattr(tuning, "MAX_QUERIES", 7)
    for timed in (True, False):
        log = log_of([12] * 40, n_items=2_000, timed=timed)
        assert len(tuning.validation(log, 0)) == 7
    monkeypatch.setattr(tuning, "affordable_questions", lambda most, _, *, fewest: min(most, fewest))
    for timed in (True, False):
        log = log_of([12] * 40, n_items=2_000, timed=timed)
        assert len(tuning.validation(log, 0)) == 3


@pytest.mark.parametrize("batch", [1, 7, 250])
def test_mixtures_of_cold_items_are_judged_alike_in_batches_of_any_size(batch, monkeypatch):
    shop = clustered_shop()
    learner = ColdItemsConfig(base=IALSConfig(dim=16, regularization=0.01, unobserved=4.0))
    usual = learner.fit(shop.interactions, 0, shop.catalog)
    monkeypatch.setattr(tuning, "MAX_SCORES", batch * shop.interactions.n_items)
    assert learner.fit(shop.interactions, 0, shop.catalog).config == usual.config


def test_cold_items_ask_fewer_questions_of_many_items(monkeypatch):
    shop = clustered_shop()
    monkeypatch.setattr(cold_choice, "FEWEST_QUESTIONS", 5)
    monkeypatch.setattr(cold_choice, "MOST_SCORES", 1)
    asked, judged = [], cold_choice.ndcg_by_rows

    def counted(questions, score):
        asked.append(len(questions))
        return judged(questions, score)

    monkeypatch.setattr(cold_choice, "ndcg_by_rows", counted)
    ColdItemsConfig(base=IALSConfig(dim=16, regularization=0.01, unobserved=4.0)).fit(
        shop.interactions, 0, shop.catalog
    )
    assert asked
    assert max(asked) <= 10


def test_the_way_is_chosen_on_some_of_very_many_cold_items_the_answers_among_them():
    cold = np.arange(0, 50_000, 2, dtype=np.int32)
    answers = [np.array([4, 7], np.int32), np.array([49_998], np.int32)]
    some = cold_choice._some_cold(cold, answers)
    assert {4, 49_998} <= set(some.tolist())
    assert 0.9 * cold_choice.MOST_COLD < len(some) <= cold_choice.MOST_COLD
    assert (np.diff(some) > 0).all()
    assert np.isin(some, cold).all()
