"""`ft.evaluate`: a replay that changes nothing."""

import json
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

import foretaste as ft
from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory
from foretaste.domain.errors import NoModelError

CUT = "2024-03-10"


@pytest.fixture(scope="module")
def shop():
    return ft.datasets.synthetic(n_users=60, n_items=80, n_events=3_000, seed=11)


@pytest.fixture(scope="module")
def rec(shop):
    with ft.Recommender.train(shop.events.until(CUT), items=shop.events.items) as trained:
        yield trained


@pytest.fixture(scope="module")
def evaluation(rec, shop):
    return ft.evaluate(rec, shop.events.after(CUT))


def test_the_recommender_itself_is_not_changed(rec, shop):
    before = rec.home.state.fingerprint(), rec.home.log.last_seq(), rec.home.id_map.names("user")
    first = ft.evaluate(rec, shop.events.after(CUT), limit=20)
    assert (rec.home.state.fingerprint(), rec.home.log.last_seq(), rec.home.id_map.names("user")) == before
    assert ft.evaluate(rec, shop.events.after(CUT), limit=20).scores == first.scores


def test_it_beats_chance_where_tastes_are_known_to_exist(evaluation):
    ours, chance = (evaluation[name].accuracy["ndcg"] for name in ("blend", "random"))
    assert ours.low > chance.high


def test_each_value_has_an_interval_around_it(evaluation):
    frame = evaluation.to_polars()
    assert {"blend", "popularity", "random"} <= set(frame["name"])
    assert (
        frame.select((pl.col("low") <= pl.col("value")) & (pl.col("value") <= pl.col("high")))
        .to_series()
        .all()
    )


def test_events_the_log_has_already_are_not_asked_about(rec, shop):
    assert ft.evaluate(rec, shop.events).questions == ft.evaluate(rec, shop.events.after(CUT)).questions


def test_people_and_items_that_are_new_are_part_of_it(rec, shop):
    future = shop.events.after(CUT).frame.head(40)
    renamed = future.with_columns(
        user_id=pl.concat_str(pl.lit("new-"), "user_id"),
        item_id=pl.concat_str(pl.lit("new-"), "item_id"),
        event_id=pl.concat_str(pl.lit("new-"), "event_id"),
    )
    evaluation = ft.evaluate(rec, ft.Events(renamed))
    assert evaluation.questions > 0
    assert np.isfinite(evaluation["blend"].accuracy["ndcg"].value)


def test_a_limit_is_drawn_from_all_questions(rec, shop, evaluation):
    some = ft.evaluate(rec, shop.events.after(CUT), limit=50, seed=3)
    assert (some.questions, some.possible) == (50, evaluation.possible)


def test_nothing_to_ask_is_an_empty_result(rec, shop):
    evaluation = ft.evaluate(rec, shop.events.after("2030-01-01"))
    assert evaluation.questions == 0
    assert "0 questions" in str(evaluation)


def test_it_prints_as_a_table(evaluation):
    assert "replayed in time order" in str(evaluation)
    assert "NDCG@10" in str(evaluation)
    assert repr(evaluation) == str(evaluation)
    assert evaluation._repr_html_().count("<table>") == len(evaluation.sheets())


def test_without_a_model_there_is_nothing_to_evaluate(shop):
    with home_in_memory() as home, pytest.raises(NoModelError, match="foretaste train"):
        ft.evaluate(ft.Recommender(home), shop.events)


def halves(by):
    """Half of all buy scarves, half ties: which half, events say by themselves, if it is told by them."""
    generator = np.random.default_rng(0)
    rows = [
        {
            "user_id": f"u{user}",
            "item_id": f"{('scarf', 'tie')[user % 2]}-{item}",
            "type": "purchase",
            "context": json.dumps({"gender": "FM"[user % 2]}) if by == "events" else None,
        }
        for user in range(400)
        for item in generator.permutation(20)[:6]
    ]
    times = 1_600_000_000 + 600 * np.arange(len(rows))
    log = ft.read_events(pl.DataFrame(rows).with_columns(timestamp=times))
    cut = datetime.fromtimestamp(int(times[2_000]), UTC).isoformat()
    return log.until(cut), log.after(cut)


def accuracy_of(evaluation):
    return {score.name: score.accuracy["ndcg"].value for score in evaluation.scores}


@pytest.mark.parametrize("by", ["people", "events"])
def test_questions_are_asked_under_the_circumstances_that_are_known(by):
    past, future = halves(by)
    users = {f"u{user}": {"gender": "FM"[user % 2]} for user in range(400)} if by == "people" else None
    settings = Settings(sources=("popularity", "context"))
    with ft.Recommender.train(past, users=users, settings=settings) as rec:
        accuracy = accuracy_of(ft.evaluate(rec, future))
    assert min(accuracy["context"], accuracy["blend"]) > 1.5 * accuracy["popularity"]


def test_what_events_say_of_their_moments_is_judged_as_it_is_learnt():
    past, _ = halves("events")
    accuracy = accuracy_of(ft.judge(past, effort="quick", peers=False))
    assert accuracy["context"] > 1.5 * accuracy["popularity"]
