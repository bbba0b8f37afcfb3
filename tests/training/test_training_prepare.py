"""The log in the order it is learnt from, and the sources judged as they ship."""

from dataclasses import replace

import numpy as np
import pytest

from foretaste.adapters.memory.event_log import MemoryEventLog
from foretaste.adapters.memory.id_map import MemoryIdMap
from foretaste.domain.event import Event
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.pipeline.artifact import assemble
from foretaste.pipeline.scenario import HOME
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.training import corpus as corpora
from foretaste.training.composition import Composition
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import read_corpus
from foretaste.training.evaluate import UNPUBLISHED, state_before
from foretaste.training.fit import fit_sources
from foretaste.training.prepare import prepare


def test_events_are_replayed_in_time_order_whatever_the_order_of_arrival(make_corpus, quick):
    corpus = make_corpus([0, 0, 1, 1], [1, 2, 3, 4], [40, 10, 30, 20])
    prepared = prepare(corpus, quick, 0)
    assert prepared.events.time.tolist() == [10, 20, 30, 40]
    assert prepared.events.item.tolist() == [2, 4, 3, 1]
    assert prepared.events.seq.tolist() == [1, 2, 3, 4]


def test_what_is_fitted_on_ends_where_tuning_begins(timed_corpus, quick):
    prepared = prepare(timed_corpus, quick, 0)
    n = len(timed_corpus.events)
    assert (prepared.tune, prepared.test) == (int(0.8 * n), int(0.9 * n))
    fitted_on = prepared.interactions(prepared.tune)
    assert fitted_on.time.max() < prepared.events.time[prepared.tune]
    assert state_before(prepared, prepared.tune).seq == prepared.tune


def test_untimed_events_are_known_to_the_models_as_such(untimed_corpus, quick):
    interactions = prepare(untimed_corpus, quick, 0).interactions(100)
    assert not interactions.timed
    assert not interactions.time.any()


def test_events_of_no_weight_are_not_learnt_from(make_corpus, quick):
    in_time = replace(quick, split="time")
    prepared = prepare(make_corpus([0, 0], [1, 2], [1, 2], types=[0, 1]), in_time, 0)
    assert prepared.consuming.tolist() == [True, False]
    assert prepared.counts.all()


def test_the_corpus_is_the_whole_log_however_it_is_read(monkeypatch):
    monkeypatch.setattr(corpora, "CHUNK", 3)
    id_map = MemoryIdMap()
    log = MemoryEventLog(id_map)
    events = [
        Event(event_id=f"e{n}", user_id=f"u{n % 3}", item_id=f"i{n}", type="click", timestamp=n)
        for n in range(10)
    ]
    log.submit(events).result()
    corpus = read_corpus(log, id_map, CatalogColumns.empty())
    assert corpus.events.seq.tolist() == list(range(1, 11))
    assert corpus.events.time.tolist() == list(range(10))
    assert (corpus.n_users, corpus.n_items, list(corpus.type_names)) == (3, 10, ["click"])


@pytest.fixture
def composition(timed_corpus, quick):
    prepared = prepare(timed_corpus, quick, 0)
    models = fit_sources(
        quick.sources, prepared.interactions(prepared.tune), timed_corpus.catalog, seed=0
    ).models
    artifact = assemble(models, Blend.even(tuple(models)), Calibration.flat(), UNPUBLISHED)
    state = state_before(prepared, prepared.tune)
    return prepared, Composition(timed_corpus, state, artifact, HOME, remember=5)


def test_no_list_holds_what_the_person_has(composition):
    prepared, judged = composition
    assert judged.names == ("blend", "popularity", "ease", "transitions", "random")
    for user in range(10):
        known = slice(0, prepared.tune)
        had = prepared.events.item[known][prepared.events.user[known] == user]
        lists = judged.lists(user, int(prepared.events.time[prepared.tune]), 10)
        assert lists.shape == (5, 10)
        assert not np.isin(lists, had).any()
        assert (np.diff(np.sort(lists[0])) > 0).all()


def test_each_source_alone_lists_its_own_best(composition):
    prepared, judged = composition
    user, now = 2, int(prepared.events.time[prepared.tune])
    lists = judged.lists(user, now, 10)
    state = judged.state
    popularity = state.items.popularity(len(state.items.half_lives) - 1, now)
    had = state.tally(user).item
    order = [item for item in np.argsort(-popularity, kind="stable") if item not in had]
    assert lists[1].tolist() == order[:10]


def test_the_best_of_the_blend_are_remembered_for_calibration(composition):
    prepared, judged = composition
    now = int(prepared.events.time[prepared.tune])
    lists = judged.lists(1, now, 10)
    (ranked,) = judged.remembered
    assert ranked.item.tolist() == lists[0, :5].tolist()
    assert (np.diff(ranked.score) <= 0).all()


def test_of_a_very_long_log_questions_are_asked_of_what_its_latest_events_make(timed_corpus, monkeypatch):
    monkeypatch.setattr("foretaste.training.evaluate.MOST_FOLDED", 100)
    prepared = prepare(timed_corpus, TrainConfig(), seed=0)
    state = state_before(prepared, prepared.tune)
    latest = prepared.events.user[prepared.tune - 100 : prepared.tune]
    assert state.seq == prepared.tune
    assert [state.summary(user).events for user in range(80)] == np.bincount(latest, minlength=80).tolist()


def test_very_large_catalogs_are_asked_fewer_questions(timed_corpus, monkeypatch):
    monkeypatch.setattr("foretaste.training.prepare.FEWEST", 10)
    monkeypatch.setattr("foretaste.training.prepare.MOST_SCORES", 25 * timed_corpus.n_items)
    prepared = prepare(timed_corpus, TrainConfig(judged=None), seed=0)
    assert (prepared.config.tuned, prepared.config.judged, prepared.budget.questions) == (25, None, 25)
