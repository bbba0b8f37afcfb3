"""Finished answers are given again, and never an old one."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import msgspec
import pytest

import foretaste as ft
from foretaste.app.caching import active_users, warm_cache
from foretaste.app.learning import train_home
from foretaste.app.settings import Settings
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import InvalidInputError, UnavailableError
from foretaste.domain.query import Query
from foretaste.pipeline.compose import answer
from foretaste.testing.waiting import at_once, until

CACHED = Settings(answer_cache="memory", item_state_seconds=86_400.0)


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory):
    shop = ft.datasets.synthetic(n_users=40, n_items=30, n_events=1_500, seed=3)
    home = tmp_path_factory.mktemp("cached") / "home"
    ft.Recommender.train(shop.events, items=shop.events.items, home=home, seed=1).close()
    return home


@pytest.fixture
def rec(trained_home, tmp_path):
    home = shutil.copytree(trained_home, tmp_path / "home")
    with ft.Recommender.open(home, settings=CACHED) as opened:
        yield opened


def ids(slate):
    return [place.item_id for place in slate]


def test_the_same_question_is_answered_from_the_cache_under_an_id_of_its_own(rec):
    first, again = rec.recommend("u1", k=5), rec.recommend("u1", k=5)
    assert (first.source, again.source) == ("personalized", "cache")
    assert again.items == first.items
    assert again.recommendation_id != first.recommendation_id


def test_another_question_or_person_is_not(rec):
    rec.recommend("u1", k=5)
    assert rec.recommend("u1", k=6).source == "personalized"
    assert rec.recommend("u1", k=5, exclude_ids=["i1"]).source == "personalized"
    assert rec.recommend("u2", k=5).source == "personalized"


def test_the_boxes_of_a_page_are_all_answered_from_the_cache(rec):
    boxes = [{"scenario": "home"}, {"scenario": "shop"}, {"boost": ["user.age > 30 : 2"]}]
    for box in boxes:
        assert rec.recommend("u1", k=5, **box).source == "personalized"
    assert [rec.recommend("u1", k=5, **box).source for box in boxes] == ["cache"] * 3


def test_an_event_of_the_person_is_in_the_next_answer(rec):
    before = rec.recommend("u1", k=5)
    rec.record(user_id="u1", item_id=before[0].item_id, type="purchase")
    after = rec.recommend("u1", k=5)
    assert after.source == "personalized"
    assert before[0].item_id not in ids(after)


def test_what_was_deleted_hidden_or_sold_out_is_in_no_answer(rec):
    for change in ("delete", {"hidden": True}, {"in_stock": False}):
        shown = rec.recommend("u1", k=5)
        gone = shown[0].item_id
        if change == "delete":
            rec.delete_items([gone])
        else:
            rec.put_items([{"item_id": gone, **change}])
        assert gone not in ids(rec.recommend("u1", k=5))


def test_another_model_answers_anew(rec):
    rec.recommend("u1", k=5)
    train_home(rec.home, seed=9)
    assert rec.recommend("u1", k=5).source == "personalized"


def test_what_is_told_of_the_person_changes_the_answer_s_basis(rec):
    rec.recommend("u1", k=5)
    rec.add_users({"u1": {"country": "FR"}})
    assert rec.recommend("u1", k=5).source == "personalized"


def test_merged_people_get_no_answer_of_before(rec):
    rec.record(user_id="anonymous", item_id="i1", type="click")
    rec.recommend("u1", k=5)
    rec.merge_users("anonymous", "u1")
    assert rec.recommend("u1", k=5).source == "personalized"


def test_an_answer_from_the_cache_can_be_given_again(rec):
    rec.recommend("u1", k=5)
    kept = rec.recommend("u1", k=5)
    assert kept.source == "cache"
    assert rec.reproduce(kept.recommendation_id).identical


def test_hits_and_misses_are_counted(rec):
    for _ in range(3):
        rec.recommend("u1", k=5)
    shown = rec.home.telemetry.exposition().decode()
    assert "recommendation_cache_hits_total 2" in shown
    assert 'recommendation_requests_total{source="cache",user_type="known"} 2' in shown


def test_a_dry_run_neither_uses_nor_fills_the_cache(rec):
    query = Query(now=1, seed=1, user_id="u1")
    rec.home.answerer.recommend(query, dry_run=True)
    assert rec.home.answerer.recommend(query).source == "personalized"


def test_who_was_active_is_found_the_latest_first(rec):
    rec.record(user_id="latest", item_id="i1", type="click", timestamp=1_712_000_000_000_000)
    everyone = active_users(rec.home, days=100_000.0)
    assert everyone[0] == "latest"
    assert sorted(everyone) == sorted(rec.users())
    assert active_users(rec.home, days=0.0) == ["latest"]
    assert len(active_users(rec.home, days=100_000.0, most=3)) == 3


def test_warming_makes_what_is_asked_for_next(rec):
    people = active_users(rec.home, days=100_000.0)
    warmed = warm_cache(rec.home, people, k=5)
    assert warmed.last_seconds == 3600.0
    assert (warmed.people, warmed.made, warmed.failed) == (len(people), len(people), 0)
    assert rec.recommend(people[0], k=5).source == "cache"
    assert warm_cache(rec.home, people, k=5).kept == len(people)


def test_warming_without_a_cache_says_what_to_set(trained_home):
    with (
        ft.Recommender.open(trained_home, read_only=True) as rec,
        pytest.raises(UnavailableError, match="FORETASTE_REDIS_URL"),
    ):
        warm_cache(rec.home, ["u1"])


def test_a_cache_in_redis_needs_its_url(trained_home):
    with pytest.raises(InvalidInputError, match="redis_url"):
        ft.Recommender.open(trained_home, read_only=True, settings=Settings(answer_cache="redis"))


@pytest.fixture
def worked_out(monkeypatch):
    """The questions that answers were worked out for."""
    questions = []

    def noted(query, view):
        questions.append(query)
        return answer(query, view)

    monkeypatch.setattr("foretaste.serving.answering.answer", noted)
    return questions


def test_equal_questions_of_one_moment_are_worked_out_once(rec, worked_out):
    for k in range(3, 13):
        slates = at_once(lambda k=k: rec.recommend("u1", k=k))
        assert len({slate.recommendation_id for slate in slates}) == len(slates)
        assert sorted(slate.source for slate in slates) == [*["cache"] * (len(slates) - 1), "personalized"]
        assert all(slate.items == slates[0].items for slate in slates)
    assert [query.k for query in worked_out] == list(range(3, 13))
    assert "recommendation_cache_hits_total 70" in rec.home.telemetry.exposition().decode()


def test_who_waits_for_an_answer_gets_that_of_who_asked_before(rec, worked_out, monkeypatch):
    cache, may_end = rec.home.answerer.cache, Event()
    put = cache._cache.put
    monkeypatch.setattr(cache._cache, "put", lambda *kept: may_end.wait() and put(*kept))
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(rec.recommend, "u2", k=5) for _ in range(2)]
        until(lambda: cache.flights.waiting == 1)
        may_end.set()
        first, second = (each.result() for each in asked)
    assert first.items == second.items
    assert {first.source, second.source} == {"personalized", "cache"}
    assert first.recommendation_id != second.recommendation_id
    assert len(worked_out) == 1
    assert rec.reproduce(second.recommendation_id).identical
    assert "recommendation_cache_shared_total 1" in rec.home.telemetry.exposition().decode()


def test_somebody_in_a_hurry_spoils_the_answer_for_nobody(rec, worked_out, monkeypatch):
    cache, may_end = rec.home.answerer.cache, Event()
    get = cache._cache.get
    monkeypatch.setattr(cache._cache, "get", lambda *asked: may_end.wait() and get(*asked))
    question = Query(now=system_clock(), seed=1, user_id="u3", k=5)
    with ThreadPoolExecutor(2) as threads:
        hurried = threads.submit(rec.home.answerer.recommend, question, seconds=1e-9)
        until(lambda: cache.flights.under_way)
        patient = threads.submit(rec.home.answerer.recommend, msgspec.structs.replace(question, seed=2))
        until(lambda: cache.flights.waiting == 1)
        may_end.set()
    assert hurried.result().left_out
    assert not patient.result().left_out
    assert len(worked_out) == 2
