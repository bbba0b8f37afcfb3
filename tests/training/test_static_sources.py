"""What ships for events without any order is good on a log as they come: skewed, sparse, of many tastes."""

import numpy as np
import pytest

from foretaste.domain.event import EventColumns
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.ials_tuning import usual_regularization
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus
from foretaste.training.prepare import prepare
from foretaste.training.run import learn
from foretaste.training.sources import usual_sources
from foretaste.training.tuning import NO_TUNING

N_USERS, N_ITEMS, TASTES = 400, 200, 8


SEEDS = tuple(range(6))
"""Each hides other items: one hold-out of 400 people alone would judge by chance."""


@pytest.fixture(scope="module")
def reports():
    generator = np.random.default_rng(0)
    appeal = 1.0 / np.arange(1, N_ITEMS + 1) ** 0.5
    of_item = generator.dirichlet(np.full(TASTES, 0.1), N_ITEMS)
    of_user = generator.dirichlet(np.full(TASTES, 0.2), N_USERS)
    chance = (of_user @ of_item.T) * generator.permutation(appeal)
    chance /= chance.sum(axis=1, keepdims=True)
    lengths = 5 + generator.geometric(1 / 15, N_USERS)
    taken = [
        generator.choice(N_ITEMS, min(length, 80), replace=False, p=row)
        for row, length in zip(chance, lengths, strict=True)
    ]
    user = np.repeat(np.arange(N_USERS), [len(items) for items in taken]).astype(np.int32)
    n = len(user)
    events = EventColumns(
        previous_seq=0,
        seq=np.arange(1, n + 1),
        user=user,
        item=np.concatenate(taken).astype(np.int32),
        type=np.zeros(n, np.int16),
        time=np.zeros(n, np.int64),
        key=np.arange(n),
        value=np.full(n, np.nan, np.float32),
    )
    names = [str(number) for number in range(N_ITEMS)]
    corpus = Corpus(events, CatalogColumns.empty(), names, ["purchase"], N_USERS)
    sources = usual_sources(timed=False, ordered=False)
    del sources["content"]  # there are no texts
    config = TrainConfig(sources=sources, tuning=NO_TUNING, tuned=600, judged=300)
    return [learn(corpus, created_at=1, config=config, seed=seed).report for seed in SEEDS]


def ndcg(reports, name):
    every = [
        score.accuracy["ndcg"].value for report in reports for score in report.scores if score.name == name
    ]
    return sum(every) / len(reports)


def test_the_graph_is_filtered_beside_what_suits_the_size(reports):
    names = {score.name for score in reports[0].scores}
    assert names >= {"blend", "ials", "item_item", "graph", "popularity"}


def test_every_personal_source_beats_popularity(reports):
    for source in ("ials", "item_item", "graph"):
        assert ndcg(reports, source) > 1.3 * ndcg(reports, "popularity")


def test_the_blend_is_as_good_as_its_best_source(reports):
    best = max(ndcg(reports, source) for source in ("ials", "item_item", "graph", "popularity"))
    assert ndcg(reports, "blend") > 0.99 * best
    assert ndcg(reports, "blend") > 0.15


def test_only_the_best_effort_without_order_has_a_filter_that_the_log_had_no_part_in_choosing():
    efforts = {
        (effort, ordered): usual_sources(timed=False, ordered=ordered, effort=effort).get("symmetric")
        for effort in ("quick", "usual", "best")
        for ordered in (False, True)
    }
    (learner,) = (found for found in efforts.values() if found is not None)
    assert efforts["best", False] is learner
    assert None not in {learner.user, learner.target, learner.sharpness, learner.recency}


def test_only_the_best_effort_without_order_factorizes_wider():
    breadths = {
        (effort, ordered): usual_sources(timed=False, ordered=ordered, effort=effort)["ials"].breadth
        for effort in ("quick", "usual", "best")
        for ordered in (False, True)
    }
    assert {case for case, breadth in breadths.items() if breadth > 1} == {("best", False)}


def test_the_quick_effort_regularizes_by_how_dense_a_log_without_order_is(untimed_corpus):
    quick = usual_sources(timed=False, effort="quick")["ials"]
    window = prepare(untimed_corpus, TrainConfig(), 0).interactions(len(untimed_corpus.events))
    fitted = quick.fit(window, 0, untimed_corpus.catalog).config
    assert fitted.unobserved == quick.unobserved
    assert fitted.regularization == pytest.approx(usual_regularization(window))
