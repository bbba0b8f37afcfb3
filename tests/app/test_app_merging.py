"""An anonymous id becomes a known person."""

import shutil

import pytest

import foretaste as ft
from foretaste.app.learning import corpus_of, train_home
from foretaste.app.online_quality import measured_online
from foretaste.app.reproducing import fold_log
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import InvalidEventError, InvalidInputError, UnknownUserError
from foretaste.training.corpus import read_corpus

NOW = 1_712_000_000_000_000


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory):
    shop = ft.datasets.synthetic(n_users=40, n_items=30, n_events=1_500, seed=3)
    home = tmp_path_factory.mktemp("merging") / "home"
    ft.Recommender.train(shop.events, items=shop.events.items, home=home, seed=1).close()
    return home


@pytest.fixture
def rec(trained_home, tmp_path):
    with ft.Recommender.open(shutil.copytree(trained_home, tmp_path / "home")) as opened:
        yield opened


def click(rec, user, *items):
    for item in items:
        rec.record(user_id=user, item_id=item, type="click")


def ids(slate):
    return [place.item_id for place in slate]


def test_the_next_answer_of_either_id_knows_both_pasts(rec):
    click(rec, "anonymous", "i1", "i2")
    click(rec, "anna", "i3")
    click(rec, "twin", "i1", "i2", "i3")
    merged = rec.merge_users("anonymous", "anna")
    assert merged.merged
    now = system_clock()
    slates = [rec.recommend(user, seed=1, now=now) for user in ("anna", "anonymous")]
    assert slates[0].items == slates[1].items
    assert slates[1].user_id == "anna"
    assert slates[0].versions.state_seq >= merged.state_seq
    assert rec.profile("anonymous").user_id == "anna"
    assert {event.item_id for event in rec.profile("anna").recent_events} == {"i1", "i2", "i3"}


def test_events_that_come_later_under_the_old_id_follow(rec):
    rec.merge_users("anonymous", "anna")
    click(rec, "anonymous", "i5")
    assert rec.profile("anna").total_events == 1
    assert rec.recommend("anna").source == "personalized"


def test_to_merge_again_changes_nothing(rec):
    click(rec, "anonymous", "i1")
    assert rec.merge_users("anonymous", "anna").merged
    before = rec.home.state.fingerprint()
    assert not rec.merge_users("anonymous", "anna").merged
    assert not rec.merge_users("anna", "anonymous").merged
    assert rec.home.state.fingerprint() == before


def test_the_old_id_is_nobody_of_its_own(rec):
    click(rec, "anonymous", "i1")
    rec.merge_users("anonymous", "anna")
    assert "anonymous" not in rec.users()
    assert "anna" in rec.users()


def test_a_merge_survives_a_restart_and_a_replay(rec, tmp_path):
    click(rec, "anonymous", "i1", "i2")
    rec.merge_users("anonymous", "anna")
    click(rec, "anonymous", "i3")
    shown = ids(rec.recommend("anonymous", seed=1, now=NOW))
    assert fold_log(rec.home).fingerprint() == rec.home.state.fingerprint()
    rec.close()
    (tmp_path / "home" / "state.safetensors").unlink()
    with ft.Recommender.open(tmp_path / "home") as again:
        assert ids(again.recommend("anna", seed=1, now=NOW)) == shown


def test_answers_of_before_the_merge_are_still_given_again(rec):
    click(rec, "anonymous", "i1")
    before = rec.recommend("anonymous")
    rec.merge_users("anonymous", "anna")
    after = rec.recommend("anonymous")
    assert rec.reproduce(before.recommendation_id).identical
    assert rec.reproduce(after.recommendation_id).identical


def test_training_learns_from_one_person(rec):
    click(rec, "anonymous", "i1", "i2")
    click(rec, "anna", "i3")
    rec.merge_users("anonymous", "anna")
    corpus = read_corpus(rec.home.log, rec.home.id_map, rec.home.catalog_columns)
    anna, anonymous = rec.home.id_map.find("user", ["anna", "anonymous"])
    assert (corpus.events.user == anna).sum() == 3
    assert (corpus.events.user == anonymous).sum() == 0
    train_home(rec.home, seed=2)
    assert rec.recommend("anonymous").source == "personalized"


def test_what_was_told_of_the_old_id_goes_over_where_nothing_else_was_told(rec):
    rec.add_users({"anonymous": {"country": "FR", "device": "phone"}, "anna": {"country": "DE"}})
    rec.merge_users("anonymous", "anna")
    assert rec.home.profiles.get("anna") == {"country": "DE", "device": "phone"}


def test_the_reserved_item_is_never_shown(rec):
    rec.merge_users("anonymous", "anna")
    everything = rec.recommend("anna", k=1000)
    assert "foretaste:merge" not in ids(everything)


def test_people_are_not_merged_into_themselves_and_ids_must_be_ids(rec):
    with pytest.raises(InvalidInputError, match="itself"):
        rec.merge_users("anna", "anna")
    with pytest.raises(InvalidInputError, match="from_user_id"):
        rec.merge_users("", "anna")


def test_clients_cannot_send_the_reserved_types(rec):
    with pytest.raises(InvalidEventError, match="users/merge"):
        rec.record(user_id="anna", item_id="i1", type="Merge-Into")


def test_two_strangers_can_be_merged_and_are_still_strangers(rec):
    rec.merge_users("nobody", "no one")
    assert rec.recommend("nobody").source == "trending"
    with pytest.raises(UnknownUserError):
        rec.profile("no one")


def test_what_a_known_person_takes_of_a_slate_from_before_is_a_click_on_it(rec):
    click(rec, "anonymous", "i1")
    before = rec.recommend("anonymous")
    click(rec, "anonymous", before[0].item_id)
    rec.merge_users("anonymous", "anna")
    after = rec.recommend("anonymous")
    click(rec, "anonymous", after[1].item_id)
    click(rec, "anna", after[2].item_id)
    lately = measured_online(rec.home, system_clock()).windows[0].overall
    assert (lately.slates, lately.people, lately.clicked) == (2, 1, 2)
    assert (lately.next_events, lately.hits) == (3, 3)
    shown = corpus_of(rec.home).shown
    taken = [before[0].item_idx, after[1].item_idx, after[2].item_idx]
    assert sorted(shown.item[shown.clicked].tolist()) == sorted(taken)
