"""Past answers can be given again, and past moments answered as they would have been."""

import random
import shutil
import time
from itertools import pairwise

import pytest

import foretaste as ft
from foretaste.app.learning import train_home
from foretaste.app.reproducing import fold_log, given_again
from foretaste.app.settings import Settings
from foretaste.domain.errors import InvalidQueryError, NotFoundError
from foretaste.domain.query import Query

START = 1_712_000_000_000_000
MINUTE = 60_000_000
LONG = Settings(exposure_days=100_000.0, blend_questions=1000.0)


@pytest.fixture(scope="module")
def shop():
    return ft.datasets.synthetic(n_users=40, n_items=30, n_events=1_500, seed=3)


@pytest.fixture(scope="module")
def trained_home(shop, tmp_path_factory):
    home = tmp_path_factory.mktemp("past") / "home"
    ft.Recommender.train(shop.events, items=shop.events.items, home=home, seed=1).close()
    return home


@pytest.fixture
def rec(trained_home, tmp_path):
    home = shutil.copytree(trained_home, tmp_path / "home")
    with ft.Recommender.open(home, settings=LONG) as opened:
        yield opened


def live_a_while(rec, rounds, seed, train_at=()):
    """Ask, click, change the catalog, tell of people and train, at random; return the ids of the answers."""
    draw = random.Random(seed)
    shown = []
    for step in range(rounds):
        user, now = f"u{draw.randrange(45)}", START + step * MINUTE
        asked = {
            "k": draw.choice([3, 10]),
            "explain": draw.random() < 0.2,
            "scenario": draw.choice(["home", "home", "discover", "trending"]),
            "filters": {"category": ["c1", "c2"]} if draw.random() < 0.2 else None,
            "exclude_ids": ["i3"] if draw.random() < 0.2 else (),
        }
        slate = rec.recommend(user, now=now, **asked)
        shown.append(slate.recommendation_id)
        if draw.random() < 0.1:
            shown.append(rec.similar(f"i{draw.randrange(1, 20)}", now=now).recommendation_id)
        if slate.items and draw.random() < 0.6:
            chosen = draw.choice(slate.items).item_id
            rec.record(user_id=user, item_id=chosen, type="click", timestamp=now)
        if draw.random() < 0.05:
            rec.put_items(
                [{"item_id": f"i{draw.randrange(40)}", "title": f"at {step}", "categories": ["c1"]}]
            )
        if draw.random() < 0.02:
            rec.delete_items([f"i{draw.randrange(20, 40)}"])
        if draw.random() < 0.05:
            rec.add_users({user: {"country": draw.choice(["FR", "DE"])}})
        if step in train_at:
            train_home(rec.home, seed=step)
    return shown


def test_a_thousand_answers_are_given_again_bit_for_bit_across_changes_of_everything(rec):
    shown = live_a_while(rec, 930, seed=1, train_at=(60, 120))
    rec.home.exposures.flush()
    records = [rec.home.exposures.get(name) for name in shown]
    again = list(given_again(rec.home, records))
    assert len(again) == len(shown) >= 1_000
    versions = [record.versions for record in records]
    assert len({version.artifact for version in versions}) == 3
    assert len({version.blend for version in versions}) > 3
    assert len({version.catalog_version for version in versions}) > 30
    assert [exposure.recommendation_id for exposure, found in again if not found.identical] == []


def test_answers_are_given_again_after_a_restart(rec, tmp_path):
    shown = live_a_while(rec, 40, seed=3)
    rec.close()
    with ft.Recommender.open(tmp_path / "home", settings=LONG) as opened:
        assert all(opened.reproduce(name).identical for name in shown[::8])


def test_an_answer_without_a_model_is_given_again(shop):
    with ft.Recommender.train(shop.events.until("2024-02-01"), items=shop.events.items) as rec:
        rec.home.artifact = None
        name = rec.recommend("u1", now=START).recommendation_id
        assert rec.reproduce(name).identical


def test_an_answer_among_given_candidates_is_shown_but_not_given_again(rec):
    slate = rec.personalize("u1", ["i1", "i2", {"item_id": "new", "title": "New"}])
    with pytest.raises(NotFoundError, match="candidates"):
        rec.reproduce(slate.recommendation_id)


def test_an_id_without_a_record_says_what_the_id_tells(rec):
    slate = rec.home.answerer.recommend(Query(now=START, seed=0, user_id="u1"), dry_run=True)
    with pytest.raises(NotFoundError, match="event 1500 of the log"):
        rec.reproduce(slate.recommendation_id)
    with pytest.raises(InvalidQueryError):
        rec.reproduce("made up")


def test_as_of_now_is_what_is_answered_now(rec):
    live_a_while(rec, 40, seed=4)
    now = time.time_ns() // 1_000 + MINUTE
    then = rec.as_of(now)
    for user in ("u1", "u2", "nobody"):
        live = rec.recommend(user, now=now, seed=0)
        assert [place.item_id for place in then.recommend(user)] == [place.item_id for place in live]


def test_as_of_an_earlier_moment_knows_nothing_of_what_came_later(rec):
    moment = START + 10 * MINUTE
    rec.record(user_id="late", item_id="i1", type="click", timestamp=moment + 1)
    rec.record(user_id="early", item_id="i1", type="click", timestamp=moment)
    then = rec.as_of(moment)
    assert then.recommend("late").source == "trending"
    assert then.recommend("early").source == "personalized"


def test_as_of_before_any_training_is_answered_without_a_model(rec):
    then = rec.as_of(1_708_000_000_000_000)
    assert then.recommend("u1").model_version == "untrained"


def test_folding_the_log_anew_gives_the_state_that_is_served(rec):
    live_a_while(rec, 30, seed=5)
    seen = []
    assert fold_log(rec.home, advance=seen.append).fingerprint() == rec.home.state.fingerprint()
    assert seen[-1] == rec.home.log.last_seq()
    assert all(one < other for one, other in pairwise(seen))


def test_the_catalog_is_that_of_the_moment(rec):
    before = time.time_ns() // 1_000
    rec.put_items([{"item_id": "i1", "title": "renamed"}])
    assert rec.as_of(before).home.catalog_columns.version == rec.home.catalog_columns.version - 1
    assert rec.as_of(time.time_ns() // 1_000).home.catalog_columns.version == rec.home.catalog_columns.version
