"""A folder keeps one replica's snapshots; who only reads, or writes without answering, may share it."""

import pytest

from foretaste.app.reproducing import given_again, recorded
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import UnavailableError
from foretaste.domain.event import Event
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.testing.contracts.exposure_log import an_exposure
from foretaste.testing.servers.postgres import drop_schema, new_schema
from foretaste.testing.waiting import until


@pytest.fixture
def settings(postgres):
    name = new_schema()
    yield Settings(
        database_url=postgres, database_schema=name, database_connections=3, exposure_days=100_000.0
    )
    drop_schema(postgres, name)


@pytest.fixture
def opened(tmp_path, settings):
    return lambda name="home", **how: open_home(tmp_path / name, settings=settings, create=True, **how)


def click(home, number=1):
    event = Event(event_id=f"e{number}", user_id="u", item_id="i", type="click", timestamp=number)
    home.log.submit([event]).result()


def test_two_replicas_do_not_share_a_folder(opened):
    with opened(), pytest.raises(UnavailableError, match=r"in use by process \d+ on .*choose another --home"):
        opened()


def test_each_has_its_own_and_a_closed_one_can_be_had(opened):
    with opened("one"), opened("other"):
        pass
    with opened("one"):
        pass


def test_who_reads_may_have_the_folder_of_a_replica(opened):
    with opened() as replica:
        click(replica)
        with opened(read_only=True) as reader:
            assert reader.state.seq == 1


def test_who_reads_finds_what_a_replica_showed(opened):
    now = system_clock()
    with opened() as replica, opened(read_only=True) as reader:
        for number in range(4):
            replica.exposures.record(an_exposure(str(number), time=now + number))
        replica.exposures.flush()
        found = [exposure.recommendation_id for exposure in reader.exposures.between(now + 1, now + 3)]
        assert found == ["1", "2"]


def test_who_writes_without_answering_may_have_it_too_but_writes_no_snapshot(opened, tmp_path):
    with opened() as replica:
        with opened(beside=True, with_model=False) as writer:
            click(writer)
        assert not (tmp_path / "home" / "state.safetensors").exists()
        replica.log.catch_up()
        assert replica.state.seq == 1
    assert (tmp_path / "home" / "state.safetensors").is_file()


def test_without_a_replica_it_keeps_a_snapshot_and_does_not_shut_one_out(opened, tmp_path):
    with opened(beside=True, with_model=False) as writer:
        click(writer)
        with opened() as replica:
            replica.log.catch_up()
            assert replica.state.seq == 1
    with opened(beside=True, with_model=False) as writer:
        click(writer, 2)
    assert (tmp_path / "home" / "state.safetensors").is_file()


def test_a_scenario_put_at_one_replica_serves_on_the_other_and_its_answers_are_given_again(opened):
    asked = Query(now=1, seed=1, scenario="landing", k=0)
    with opened("one") as one, opened("other") as other:
        one.put_items([Item(item_id=f"i{n}", title=f"Item {n}") for n in range(5)])
        other.follow(seconds=0.02)
        put = one.scenario_book.put("landing", {"k": 3, "title": "Hello"})
        assert until(lambda: other.scenarios.get("landing")) == put
        slate = other.answerer.recommend(asked)
        assert (slate.title, len(slate.items)) == ("Hello", 3)
        one.scenario_book.delete("landing")
        until(lambda: "landing" not in other.scenarios)
        other.exposures.flush()
        ((_, again),) = given_again(one, [recorded(one, slate.recommendation_id)])
        assert (again.identical, again.slate.title) == (True, "Hello")
