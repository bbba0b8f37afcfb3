"""Replicas on one PostgreSQL: what one was told, the others know in their next answer."""

import os
import threading
from contextlib import ExitStack, closing

import pytest

from foretaste.adapters.postgres.follower import PostgresFollower
from foretaste.app import postgres_stores
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.testing import postgres_faults as faults
from foretaste.testing.fresh_trials import Trials, run_trials
from foretaste.testing.postgres_sites import PostgresSite
from foretaste.testing.replicas import Replica

TRIALS = int(os.environ.get("FORETASTE_FRESH_TRIALS", "500"))
NOW = 1_700_000_000_000_000


@pytest.fixture
def site(postgres):
    with closing(PostgresSite(postgres)) as opened:
        yield opened


@pytest.fixture
def settings(site, postgres):
    return Settings(
        database_url=postgres,
        database_schema=site.schema,
        database_connections=3,
        database_answer_seconds=30.0,
        database_write_seconds=60.0,
    )


@pytest.fixture
def homes(tmp_path, settings):
    with ExitStack() as stack:
        yield [
            stack.enter_context(open_home(tmp_path / name, settings=settings, create=True)) for name in "ab"
        ]


def ask(home, user_id="ann"):
    return home.answerer.recommend(Query(now=NOW, seed=1, user_id=user_id), dry_run=True)


def shown(home, user_id="ann"):
    return [item.item_id for item in ask(home, user_id).items]


def bought(home, item_id, user_id="ann"):
    event = {"user_id": user_id, "item_id": item_id, "type": "purchase"}
    return home.recorder.record([event], now=NOW).state_seq


def test_what_one_home_was_told_the_other_knows_at_once(homes):
    here, there = homes
    here.put_items([Item(item_id=f"i{n}") for n in range(5)])
    assert sorted(shown(there)) == ["i0", "i1", "i2", "i3", "i4"]
    for n in range(3):
        homes = here, there = there, here
        seq = bought(here, f"i{n}")
        answer = ask(there)
        assert answer.versions.state_seq >= seq == n + 1
        assert f"i{n}" not in [item.item_id for item in answer.items]
        assert answer.source != "stale"
    here.delete_items(["i4"])
    assert shown(there) == ["i3"]
    assert [
        item.item_id for item in there.answerer.similar(Query(now=NOW, seed=1, item_id="i3")).items
    ].count("i4") == 0


def test_a_deleted_item_is_in_no_search_and_no_choice_of_another_home(homes):
    here, there = homes
    here.put_items([Item(item_id=f"i{n}", title=f"Item {n}") for n in range(3)])
    there.catch_up(None)
    here.delete_items(["i1"])
    found = there.search.items("item", now=NOW, limit=9)
    assert [item.item_id for item in found] == ["i0", "i2"]
    here.delete_items(["i2"])
    slate = there.answerer.personalize(Query(now=NOW, seed=1, user_id="ann"), [Item(item_id="i0")])
    assert [item.item_id for item in slate.items] == ["i0"]
    assert there.catalog_columns.version == here.catalog_columns.version


def test_a_profile_knows_what_another_home_was_told(homes):
    here, there = homes
    bought(here, "i0")
    assert there.profiler.profile("ann").total_events == 1
    bought(here, "i1")
    assert there.profiler.profile("ann").total_events == 2


def test_a_person_is_known_by_the_dense_index_too(homes):
    here, there = homes
    here.put_items([Item(item_id=f"i{n}") for n in range(3)])
    bought(here, "i0")
    assert ask(there, "0").user_id == "ann"
    bought(here, "i1")
    assert shown(there, "0") == ["i2"]


def test_what_is_told_of_people_is_followed_and_forgotten(homes):
    here, there = homes
    here.put_people({"ann": {"age": 20.0}, "ben": {"age": 30.0}})
    ask(there)
    assert there.circumstances_of("ann") == ("age=20",)
    here.profiles.delete(["ann"])
    ask(there)
    assert there.circumstances_of("ann") == ()
    assert there.circumstances_of("ben") == ("age=30",)


def test_the_state_of_every_home_is_the_same_function_of_the_log(homes, tmp_path, settings):
    here, there = homes
    for n in range(30):
        bought(homes[n % 2], f"i{n % 7}", f"user-{n % 3}")
    for home in homes:
        home.catch_up(None)
        home.log.catch_up()
    with open_home(tmp_path / "later", settings=settings, create=True) as later:
        assert here.state.fingerprint() == there.state.fingerprint() == later.state.fingerprint()
        assert later.state.seq == 30


def test_a_home_that_was_closed_goes_on_from_its_snapshot(tmp_path, settings):
    with open_home(tmp_path / "a", settings=settings, create=True) as home:
        for n in range(5):
            bought(home, f"i{n}")
        kept = home.state.fingerprint()
    assert (tmp_path / "a" / "state.safetensors").is_file()
    assert not (tmp_path / "a" / "foretaste.db").exists()
    with open_home(tmp_path / "a", settings=settings) as home:
        assert home.state.fingerprint() == kept
        assert bought(home, "i9") == 6


def replicas_of(stack, folder, postgres, site):
    settings = {"FORETASTE_DATABASE_SCHEMA": site.schema, "FORETASTE_DATABASE_WRITE_SECONDS": "60"}
    return [stack.enter_context(Replica(folder / name, postgres, settings)) for name in "abc"]


def test_no_replica_misses_what_another_one_acknowledged(tmp_path, postgres, site):
    with ExitStack() as stack:
        replicas = replicas_of(stack, tmp_path, postgres, site)
        trials = run_trials(replicas, TRIALS, seed=1)
    assert trials.misses == []
    assert trials.done == TRIALS


def test_the_trials_would_notice_a_replica_that_asks_nobody(tmp_path, settings, monkeypatch):
    monkeypatch.setattr(postgres_stores, "PostgresFollower", faults.AsksNobody)
    monkeypatch.setattr(PostgresFollower, "_run", lambda _: None)

    class Inside:
        """A home of this process, as a replica."""

        def __init__(self, home):
            self.home = home

        def put(self, item_id):
            return self.home.put_items([Item(item_id=item_id)])

        def delete(self, item_id):
            return self.home.delete_items([item_id])

        def record(self, user_id, item_id):
            return bought(self.home, item_id, user_id)

        def recommend(self, user_id):
            slate = ask(self.home, user_id)
            return slate.source, slate.versions.state_seq, [item.item_id for item in slate.items]

    with ExitStack() as stack:
        inside = [
            Inside(stack.enter_context(open_home(tmp_path / name, settings=settings, create=True)))
            for name in "ab"
        ]
        trials: Trials = run_trials(inside, 20, seed=1)
    assert trials.misses


def test_replicas_under_load_from_several_sides_agree(homes):
    here, there = homes
    here.put_items([Item(item_id=f"i{n}") for n in range(50)])
    late = []

    def trial(user_id):
        for n in range(30):
            seq = bought((here, there)[n % 2], f"i{n}", user_id)
            answer = ask((there, here)[n % 2], user_id)
            if answer.versions.state_seq < seq or f"i{n}" in [item.item_id for item in answer.items]:
                late.append((user_id, n))

    threads = [threading.Thread(target=trial, args=(f"user-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert late == []
    assert here.log.last_seq() == here.state.seq
    for home in homes:
        home.log.catch_up()
    assert here.state.fingerprint() == there.state.fingerprint()
    assert here.state.seq == 120
