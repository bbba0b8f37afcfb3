"""Accuracy metrics agree with independent implementations, and with their definitions on small cases."""

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from foretaste.evaluation.metrics import METRICS, hits_of

TREC = {
    "recall": "recall_10",
    "precision": "P_10",
    "map": "map_cut_10",
    "ndcg": "ndcg_cut_10",
    "hit_rate": "success_10",
    "mrr": "recip_rank",
}


def questions(seed, n=60, n_items=40, most_wanted=10):
    generator = np.random.default_rng(seed)
    lists = np.stack([generator.permutation(n_items)[:10] for _ in range(n)]).astype(np.int32)
    truths = [
        np.sort(generator.choice(n_items, generator.integers(1, most_wanted + 1), replace=False))
        for _ in range(n)
    ]
    return lists, truths


def judged(lists, truths):
    start = np.cumsum([0, *map(len, truths)])
    items = np.concatenate([*truths, np.empty(0)]).astype(np.int32)
    return hits_of(lists, start, items), np.diff(start)


@pytest.mark.parametrize("metric", TREC)
@pytest.mark.parametrize("seed", range(3))
def test_metrics_agree_with_trec_eval(metric, seed):
    lists, truths = questions(seed)
    hits, wanted = judged(lists, truths)
    relevant = {str(q): {str(item): 1 for item in truth} for q, truth in enumerate(truths)}
    run = {
        str(q): {str(item): float(-place) for place, item in enumerate(row)} for q, row in enumerate(lists)
    }
    evaluator = pytrec_eval.RelevanceEvaluator(
        relevant, {"recall.10", "P.10", "map_cut.10", "ndcg_cut.10", "success.10", "recip_rank"}
    )
    theirs = evaluator.evaluate(run)
    expected = [theirs[str(q)][TREC[metric]] for q in range(len(lists))]
    np.testing.assert_allclose(METRICS[metric](hits, wanted, 10), expected, atol=1e-4)  # it rounds for output


def test_ndcg_agrees_with_scikit_learn():
    lists, truths = questions(7, most_wanted=25)
    hits, wanted = judged(lists, truths)
    relevance, scores = np.zeros((len(lists), 40)), np.full((len(lists), 40), -100.0)
    for row, truth in enumerate(truths):
        relevance[row, truth] = 1.0
        scores[row, lists[row]] = -np.arange(10)
        scores[row, np.setdiff1d(np.arange(40), lists[row])] = -100.0 - np.arange(30)
    expected = [ndcg_score(relevance[[q]], scores[[q]], k=10) for q in range(len(lists))]
    np.testing.assert_allclose(METRICS["ndcg"](hits, wanted, 10), expected)


def test_where_more_is_wanted_than_fits_map_is_trec_evals_times_wanted_over_k():
    lists, truths = questions(3, most_wanted=30)
    hits, wanted = judged(lists, truths)
    relevant = {str(q): {str(item): 1 for item in truth} for q, truth in enumerate(truths)}
    run = {
        str(q): {str(item): float(-place) for place, item in enumerate(row)} for q, row in enumerate(lists)
    }
    theirs = pytrec_eval.RelevanceEvaluator(relevant, {"map_cut.10"}).evaluate(run)
    expected = np.array([theirs[str(q)]["map_cut_10"] for q in range(len(lists))])
    ours = METRICS["map"](hits, wanted, 10)
    np.testing.assert_allclose(ours, expected * wanted / np.minimum(wanted, 10), atol=3e-4)


@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(METRICS)), st.integers(1, 12))
@settings(max_examples=60)
def test_every_metric_lies_between_0_and_1_and_never_falls_when_a_hit_moves_up(seed, metric, k):
    generator = np.random.default_rng(seed)
    hits = generator.random((1, 10)) < 0.3
    wanted = hits.sum(axis=1) + generator.integers(0, 5, 1)
    before = METRICS[metric](hits, wanted, k)[0]
    assert 0.0 <= before <= 1.0
    place = int(generator.integers(1, 10))
    if hits[0, place] and not hits[0, place - 1]:
        moved = hits.copy()
        moved[0, [place - 1, place]] = True, False
        assert METRICS[metric](moved, wanted, k)[0] >= before


@pytest.mark.parametrize("metric", [name for name in METRICS if name != "recall"])
def test_a_perfect_list_scores_one_also_where_more_is_wanted_than_fits(metric):
    hits = np.ones((1, 10), bool)
    assert METRICS[metric](hits, np.array([25]), 10)[0] == pytest.approx(1.0)


@pytest.mark.parametrize("metric", METRICS)
def test_a_list_that_wants_nothing_scores_zero(metric):
    assert METRICS[metric](np.zeros((2, 10), bool), np.zeros(2, np.int64), 10).tolist() == [0.0, 0.0]


def test_empty_places_hit_nothing():
    lists = np.array([[3, -1, -1], [-1, -1, -1]], np.int32)
    hits = hits_of(lists, np.array([0, 1, 2]), np.array([3, 0], np.int32))
    assert hits.tolist() == [[True, False, False], [False, False, False]]


def test_the_truth_of_one_list_is_no_hit_in_another():
    lists = np.array([[1, 2], [1, 2]], np.int32)
    assert hits_of(lists, np.array([0, 1, 2]), np.array([1, 2], np.int32)).tolist() == [
        [True, False],
        [False, True],
    ]
