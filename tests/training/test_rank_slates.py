"""A ranker of slates is learnt from what was shown, and gives way where it gains nothing."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from foretaste.domain.event import EventColumns
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.domain.slate import Exposure, Versions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.popularity import PopularityConfig
from foretaste.pipeline.compose import answer, answer_among, rank
from foretaste.pipeline.explain import decompose
from foretaste.pipeline.reranking import ordered, reranked, scored_among, slate_request
from foretaste.pipeline.scenario import HOME
from foretaste.pipeline.view import View
from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.slate_knowledge import knowledge_of
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus
from foretaste.training.evaluate import state_before
from foretaste.training.load import load_artifact
from foretaste.training.prepare import prepare
from foretaste.training.publish import stage
from foretaste.training.rank_slates import requests_of
from foretaste.training.run import learn
from foretaste.training.slate_log import is_own, shown_slates

N_ITEMS, N_PEOPLE, PLACES, STEPS = 40, 120, 8, 16
SECOND = 1_000_000
TYPES = ("click", "impression")
VERSIONS = Versions(
    state_seq=1, item_state_seq=1, catalog_version=1, artifact="a", blend="b", scenario="home"
)


def the_catalog():
    return CatalogColumns.of(
        [
            Item(
                item_id=f"i{number}",
                title=f"thing {number}",
                text="calm quiet slow" if number % 2 else "loud quick bright",
                attributes={"price": float(number)},
            )
            for number in range(N_ITEMS)
        ]
    )


def a_shop(seed=0):
    """Return a corpus of people who are shown things at random and click on those of their own kind."""
    generator = np.random.default_rng(seed)
    users, times, shown, clicked, rows = [], [], [], [], []
    for step in range(STEPS):
        for user in range(N_PEOPLE):
            now = 10**15 + (step * N_PEOPLE + user) * 60 * SECOND
            items = generator.permutation(N_ITEMS)[:PLACES]
            likes = generator.random(PLACES) < np.where(items % 2 == user % 2, 0.6, 0.05)
            users.append(user)
            times.append(now)
            shown.append(items)
            clicked.append(likes)
            rows += [(user, int(item), now + SECOND * (place + 1)) for place, item in enumerate(items[likes])]
    user, item, time = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    events = EventColumns(
        previous_seq=0,
        seq=np.arange(1, n + 1, dtype=np.int64),
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        type=np.zeros(n, np.int16),
        time=time.astype(np.int64),
        key=np.arange(n, dtype=np.int64),
        value=np.full(n, np.nan, np.float32),
    )
    names = [f"i{number}" for number in range(N_ITEMS)]
    slates = ShownSlates.of(users, times, shown, clicked)
    return replace(Corpus(events, the_catalog(), names, TYPES, N_PEOPLE), shown=slates)


CONFIG = TrainConfig(
    sources={"popularity": PopularityConfig(), "popularity_day": PopularityConfig(half_life=86_400.0)},
    scenario=HOME,
    validation=0.3,
    test=0.2,
    tuned=100,
    judged=60,
)


@pytest.fixture(scope="module")
def shop():
    return a_shop()


@pytest.fixture(scope="module")
def trained(shop):
    return learn(shop, created_at=0, config=CONFIG)


def view_of(shop, artifact, state, user=0):
    return View(
        state=state,
        catalog=shop.catalog,
        artifact=artifact,
        scenario=HOME,
        item_names=shop.item_names,
        type_names=shop.type_names,
        user=user,
    )


def test_a_ranker_is_learnt_where_it_beats_the_blend(trained):
    ranker = trained.artifact.ranker
    assert ranker is not None
    assert ranker.report.rival == "score_blend"
    assert ranker.report.ahead_low > 0.0
    assert "the ranker orders" in trained.report.ranker


def test_slates_before_those_asked_about_again_tell_how_items_are_clicked(shop, trained):
    ranker, shown = trained.artifact.ranker, shop.shown
    every = shown.take(np.argsort(shown.time, kind="stable"))
    assert 500 < ranker.report.slates < len(every)
    known = knowledge_of(every, ranker.knowledge.traits, 0).rates
    assert ranker.knowledge.rates.looks.tolist() == known.looks.tolist()


def test_features_are_the_same_bits_in_training_and_in_serving(shop, trained):
    """The replay of training asks, just before each slate's moment, what serving asks at that moment."""
    prepared = prepare(shop, CONFIG, 0)
    artifact = trained.artifact
    ranker = artifact.ranker
    late = np.flatnonzero(shop.shown.time >= prepared.events.time[prepared.tune])[-40:]
    slates = shop.shown.take(late)
    replayed = requests_of(prepared, artifact, slates, ranker.knowledge.traits, ranker.columns)
    for slate, request in enumerate(replayed):
        now = int(slates.time[slate])
        state = state_before(prepared, int(np.searchsorted(prepared.events.time, now)))
        view = view_of(shop, artifact, state, user=int(slates.user[slate]))
        query = Query(now=now, seed=0, k=PLACES)
        items = slates.item[slates.start[slate] : slates.start[slate + 1]]
        found = scored_among(query, view, items)
        served = slate_request(
            found, np.arange(len(items)), query, view, ranker.columns, known=ranker.n_items
        )
        assert ranker.features(served).tobytes() == ranker.features(request).tobytes()


def test_features_of_given_candidates_are_those_of_the_same_candidates_found(shop, trained):
    prepared = prepare(shop, CONFIG, 0)
    ranker = trained.artifact.ranker
    view = view_of(shop, trained.artifact, state_before(prepared, len(prepared.events)), user=3)
    query = Query(now=int(prepared.events.time[-1]) + 1, seed=0, k=5)
    usual = ordered(query, view)
    places = np.argsort(-usual.score, kind="stable")[:20]
    found = slate_request(usual, places, query, view, ranker.columns, known=ranker.n_items)
    among = scored_among(query, view, usual.candidates.item[places])
    given = slate_request(among, np.arange(20), query, view, ranker.columns, known=ranker.n_items)
    blend = ranker.columns.names.index("score_blend")
    ours, theirs = ranker.features(found), ranker.features(given)
    relevant = [column for column in range(ours.shape[1]) if ranker.columns.names[column] != "rank_blend"]
    relevant.remove(blend)  # the one found is lifted already
    assert ours[:, relevant].tobytes() == theirs[:, relevant].tobytes()


def test_the_ranker_orders_what_is_served_and_explanations_add_up(shop, trained):
    prepared = prepare(shop, CONFIG, 0)
    view = view_of(shop, trained.artifact, state_before(prepared, len(prepared.events)), user=3)
    query = Query(now=int(prepared.events.time[-1]) + 1, seed=0, k=10, diversity_lambda=1.0, explain=True)
    found = ordered(query, view)
    assert found.lift is not None
    slate = answer(query, view)
    assert [item.item_idx for item in slate.items] == rank(query, view).item[:10].tolist()
    assert np.mean([item.item_idx % 2 == 1 for item in slate.items]) > 0.8
    places = np.argsort(-found.score, kind="stable")[:10]
    parts = decompose(found, places, view)
    total = parts.contribution.sum(axis=1) + parts.standing.sum(axis=1) - found.offset + found.lift[places]
    assert total == pytest.approx(found.score[places], abs=1e-4)
    plain = replace(trained.artifact, ranker=None)
    assert reranked(found, query, msgspec.structs.replace(view, artifact=plain)) is found


def test_given_candidates_alone_are_answered(shop, trained):
    prepared = prepare(shop, CONFIG, 0)
    view = view_of(shop, trained.artifact, state_before(prepared, len(prepared.events)), user=2)
    query = Query(now=int(prepared.events.time[-1]) + 1, seed=0, k=10, diversity_lambda=1.0)
    slate = answer_among(query, view, np.array([7, 9, 8, 11, 6], np.int32))
    assert {item.item_idx for item in slate.items} == {6, 7, 8, 9, 11}
    assert {item.item_idx for item in slate.items[:2]} == {6, 8}


def test_the_artifact_keeps_its_ranker_and_does_without_one(trained, tmp_path):
    manifest = stage(trained.artifact, tmp_path / "with", {})
    assert {"ranker.json", "ranker.safetensors"} <= {entry.path for entry in manifest.files}
    again = load_artifact(tmp_path / "with")
    for name, array in trained.artifact.ranker.arrays().items():
        assert again.ranker.arrays()[name].tobytes() == array.tobytes()
    stage(replace(trained.artifact, ranker=None), tmp_path / "without", {})
    assert load_artifact(tmp_path / "without").ranker is None


def test_few_slates_leave_the_order_to_the_blend(shop):
    few = replace(shop, shown=shop.shown.take(np.arange(len(shop.shown) - 200, len(shop.shown))))
    trained = learn(few, created_at=0, config=CONFIG)
    assert trained.artifact.ranker is None
    assert "too few" in trained.report.ranker


def test_slates_that_were_all_clicked_whole_are_too_few(shop):
    shown = shop.shown
    whole = replace(shown, clicked=np.ones(len(shown.item), np.bool_))
    trained = learn(replace(shop, shown=whole), created_at=0, config=CONFIG)
    assert trained.artifact.ranker is None
    assert trained.report.ranker.startswith("0 slates with clicks")


@pytest.mark.parametrize("seed", range(5))
def test_clicks_by_chance_leave_the_order_to_the_blend(shop, seed):
    trained = trained_by_chance(shop, seed)
    assert trained.artifact.ranker is None
    assert "not surely better" in trained.report.ranker


def trained_by_chance(shop, seed):
    shown = shop.shown
    clicked = np.random.default_rng(seed).random(len(shown.item)) < 0.3
    aimless = replace(shown, clicked=clicked)
    return learn(replace(shop, shown=aimless), created_at=0, config=CONFIG)


def test_a_click_belongs_to_the_latest_slate_that_showed_the_item():
    def shown(name, time, user="u", scenario="home"):
        return Exposure(
            recommendation_id=name,
            user_id=user,
            scenario=scenario,
            source="personalized",
            time=time * SECOND,
            items=(1, 2),
            scores=(1.0, 0.5),
            propensities=(1.0, 1.0),
            versions=VERSIONS,
        )

    events = EventColumns(
        previous_seq=0,
        seq=np.arange(1, 5, dtype=np.int64),
        user=np.array([0, 0, 0, 1], np.int32),
        item=np.array([1, 2, 2, 1], np.int32),
        type=np.zeros(4, np.int16),
        time=np.array([25, 5, 100_000, 26]) * SECOND,
        key=np.arange(4, dtype=np.int64),
        value=np.full(4, np.nan, np.float32),
    )
    exposures = [
        shown("a", 10),
        shown("b", 20),
        shown("c", 21, user="nobody"),
        shown("d", 22, scenario="similar"),
        shown("e", 24, user=None),
    ]
    slates = shown_slates(exposures, {"u": 0, "v": 1}, events, np.ones(4, np.bool_))
    assert slates.time.tolist() == [10 * SECOND, 20 * SECOND]
    assert slates.clicked.tolist() == [False, False, True, False]
    assert slates.score.tolist() == [1.0, 0.5, 1.0, 0.5]
    assert not len(shown_slates([], {}, events, np.ones(4, np.bool_)))


def test_only_slates_that_start_from_the_person_teach_the_ranker():
    def slate(scenario, **asked):
        return Exposure(
            recommendation_id="r",
            user_id="u",
            scenario=scenario,
            source="personalized",
            time=0,
            items=(1,),
            scores=(0.0,),
            propensities=(1.0,),
            versions=VERSIONS,
            query=Query(now=0, seed=0, scenario=scenario, **asked),
        )

    own = [slate(name) for name in ("home", "email", "new", "trending", "landing")]
    other = [slate(name) for name in ("similar", "cart", "next-in-session", "because-you-watched")]
    named = [slate("landing", item_ids=("i1",)), slate("rerank", item_id="i1")]
    assert all(map(is_own, own))
    assert not any(map(is_own, [*other, *named]))
