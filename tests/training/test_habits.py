"""What people do not come back to is told by the log, and is not shown to them again."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import foretaste as ft
from foretaste.app.settings import Settings
from foretaste.pipeline.scenario import Scenario
from foretaste.training.config import TrainConfig
from foretaste.training.habits import taken_once
from foretaste.training.prepare import prepare

WATCH, CLICK = 0, 1


def told(corpus, *, stop=None):
    events = corpus.events
    kinds = np.array(events.type)
    marks = np.ones(len(events), np.bool_), kinds == WATCH
    return taken_once(events.take(0, stop or len(events)), *marks, 2).tolist()


def clicks(make_corpus, *rows):
    user, item, kind = (list(column) for column in zip(*rows, strict=True))
    return make_corpus(user, item, list(range(len(user))), types=kind)


def once_each(n):
    return [(number % 4, number, CLICK) for number in range(n)]


def test_what_nobody_came_back_to_in_many_events_is_taken_once(make_corpus):
    assert told(clicks(make_corpus, *once_each(100))) == [False, True]


def test_a_few_events_do_not_tell(make_corpus):
    assert told(clicks(make_corpus, *once_each(50))) == [False, False]


def test_what_people_come_back_to_is_not_taken_once(make_corpus):
    again = [(number % 4, number, CLICK) for number in range(0, 100, 10)]
    assert told(clicks(make_corpus, *once_each(100), *again)) == [False, False]


def test_a_click_that_leads_to_more_is_no_end(make_corpus):
    looked = once_each(100)
    watched = [(user, item, WATCH) for user, item, _ in looked[::5]]
    assert told(clicks(make_corpus, *looked, *watched)) == [False, False]


def test_what_ends_by_itself_says_nothing_of_other_types(make_corpus):
    watched = [(number % 4, number, WATCH) for number in range(120)]
    assert told(clicks(make_corpus, *watched, *once_each(20))) == [False, False]


def test_lists_leave_out_what_was_taken_once_and_questions_stay_what_they_were(make_corpus, quick):
    corpus = clicks(make_corpus, *once_each(120))
    prepared = prepare(corpus, quick, 0)
    assert prepared.once == (corpus.type_names[CLICK],)
    assert prepared.config.scenario.consumed > quick.scenario.consumed
    assert not prepared.consuming.any()


def test_a_scenario_that_names_types_of_its_own_keeps_to_them(make_corpus, quick):
    own = frozenset({"purchase"})
    asked = replace(quick, scenario=Scenario(name="home", consumed=own))
    prepared = prepare(clicks(make_corpus, *once_each(120)), asked, 0)
    assert prepared.config.scenario.consumed == own


def sources(corpus, config):
    return prepare(corpus, config, 0).sources


def test_where_people_come_back_what_they_had_is_a_source(make_corpus):
    weekly = [(number % 4, number % 20, CLICK) for number in range(120)]
    assert "repetition" in sources(clicks(make_corpus, *weekly), TrainConfig())


def test_where_nothing_had_may_be_shown_it_is_none(make_corpus):
    watched = [(number % 4, number % 20, WATCH) for number in range(120)]
    assert "repetition" not in sources(clicks(make_corpus, *watched), TrainConfig())
    assert "repetition" not in sources(clicks(make_corpus, *once_each(120)), TrainConfig())


def test_where_times_are_unknown_it_is_none(make_corpus):
    weekly = [(number % 4, number % 20, CLICK) for number in range(120)]
    assert "repetition" not in sources(clicks(make_corpus, *weekly), TrainConfig(split="hold-out"))


def test_lists_for_people_of_habit_hold_what_they_are_used_to():
    generator, had = np.random.default_rng(5), [[number] for number in range(40)]
    user = generator.integers(0, 40, 3_000)
    for person in user.tolist():
        past = had[person]
        lately = int(len(past) ** generator.random())
        again = generator.random() < 0.7
        past.append(past[-lately] if again else int(generator.integers(0, 300)))
    turn = np.array([np.count_nonzero(user[:row] == person) for row, person in enumerate(user.tolist())])
    rows = {
        "user_id": [f"u{person}" for person in user.tolist()],
        "item_id": [f"i{had[person][1 + place]}" for person, place in zip(user.tolist(), turn, strict=True)],
        "timestamp": 1_700_000_000 + 600 * np.arange(3_000),
    }
    found = ft.judge(ft.read_events(pl.DataFrame(rows)), protocol="live", effort="quick", peers=False)
    ndcg = {score.name: score.accuracy["ndcg"].value for score in found.scores}
    others = max(value for name, value in ndcg.items() if name not in {"blend", "repetition"})
    assert ndcg["blend"] > 1.1 * others


@pytest.fixture(scope="module")
def readers():
    generator = np.random.default_rng(3)
    rows = [
        (f"u{user}", f"a{item}", 1_700_000_000 + 60 * int(moment))
        for user in range(30)
        for item, moment in zip(generator.permutation(40)[:20], generator.integers(0, 9_000, 20), strict=True)
    ]
    return ft.read_events(pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row"))


def test_who_opened_an_article_is_not_offered_it_again_where_nobody_opens_one_twice(readers):
    read = set(readers.frame.filter(user_id="u1")["item_id"])
    with ft.Recommender.train(readers, settings=Settings(effort="quick")) as rec:
        assert len(read) == len(rec.recommend("u1", k=40)) == 20
        assert read.isdisjoint(item.item_id for item in rec.recommend("u1", k=40))
        assert "what had a click is not listed again" in rec.report.split
