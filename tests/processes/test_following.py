"""A reader that follows a keeper knows, before an answer, all that was acknowledged."""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.sqlite import followed as followed_module
from foretaste.adapters.sqlite.followed import FollowedProfiles
from foretaste.adapters.sqlite.profiles import KEPT_CHANGES, SqliteProfiles
from foretaste.app.processes.keeper_home import KeeperHome
from foretaste.app.processes.page import SharedPage
from foretaste.app.processes.reader_home import ReaderHome
from foretaste.app.processes.wiring import Meeting, open_keeper, open_reader
from foretaste.app.settings import Settings
from foretaste.domain.item import Item

NOW = 1_700_000_000_000_000
names = st.integers(0, 30).map(str)
events = st.lists(
    st.fixed_dictionaries(
        {
            "user_id": names,
            "item_id": names,
            "type": st.sampled_from(["view", "purchase", "wave", "nod"]),
            "timestamp": st.integers(1_699_000_000, 1_700_000_000),
            "value": st.none() | st.integers(1, 5),
        }
    ),
    min_size=1,
    max_size=100,
)
steps = st.lists(
    st.one_of(
        events.map(lambda given: ("record", given)),
        st.lists(names, min_size=1).map(lambda given: ("put", given)),
        st.lists(names, min_size=1).map(lambda given: ("delete", given)),
        st.dictionaries(names, st.integers(0, 99), min_size=1).map(lambda given: ("tell", given)),
    ),
    max_size=8,
)


@contextmanager
def keeper_and_reader(folder):
    """A keeper of a home and a reader beside it, in one process."""
    meeting = Meeting(folder / "meeting")
    meeting.folder.mkdir()
    page = SharedPage.create(meeting.page)
    with open_keeper(folder / "home", Settings(), MemoryTelemetry(), page, meeting) as keeper:
        keeper.recorder.record([{"user_id": "first", "item_id": "first", "type": "view"}], now=NOW)
        own = SharedPage(meeting.page)
        with open_reader(folder / "home", Settings(), MemoryTelemetry(), own, meeting, 0) as reader:
            yield keeper, reader


def do(keeper, step):
    """Let the keeper do one thing."""
    kind, given = step
    if kind == "record":
        keeper.recorder.record(given, now=NOW)
    elif kind == "put":
        keeper.put_items([Item(item_id=name, title=f"{name} {keeper.state.seq}") for name in given])
    elif kind == "delete":
        keeper.delete_items(given)
    else:
        keeper.put_people({name: {"age": float(age)} for name, age in given.items()})


def assert_knows_all(reader, keeper):
    """The reader's state, names, catalog and people are the keeper's."""
    assert reader.catch_up(None)
    assert reader.state.fingerprint() == keeper.state.fingerprint()
    assert reader.log.last_seq() == keeper.log.last_seq()
    for kind in ("user", "item", "type"):
        assert reader.id_map.names(kind) == keeper.id_map.names(kind)
    assert reader.catalog_columns.items == keeper.catalog_columns.items
    assert np.array_equal(reader.catalog_columns.deleted, keeper.catalog_columns.deleted)
    for name in map(str, range(31)):
        assert reader.attributes_of(name) == keeper.attributes_of(name)
        assert reader.log.of_user(name, 5) == keeper.log.of_user(name, 5)


@settings(max_examples=12)
@given(steps)
def test_whatever_the_keeper_does_the_reader_knows_it_when_it_is_done(tmp_path_factory, done):
    with keeper_and_reader(tmp_path_factory.mktemp("both")) as (keeper, reader):
        for step in done:
            do(keeper, step)
            assert_knows_all(reader, keeper)


def test_a_reader_that_is_far_behind_follows_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(followed_module, "MOST_AT_ONCE", 7)
    with keeper_and_reader(tmp_path) as (keeper, reader):
        for number in range(30):
            many = [{"user_id": f"u{number}", "item_id": f"i{place}", "type": "view"} for place in range(9)]
            keeper.recorder.record(many, now=NOW)
        assert_knows_all(reader, keeper)


def test_a_reader_is_not_behind_when_nothing_happened(tmp_path, monkeypatch):
    with keeper_and_reader(tmp_path) as (_, reader):
        assert reader.catch_up("anyone")
        monkeypatch.setattr(ReaderHome, "_follow_page", lambda _: pytest.fail("it read though nothing came"))
        assert reader.catch_up("anyone")


def knows_the_next_event(keeper, reader):
    """Whether the reader knows an event at once that the keeper acknowledged."""
    reader.catch_up(None)
    receipt = keeper.recorder.record([{"user_id": "u", "item_id": "i", "type": "view"}], now=NOW)
    reader.catch_up("u")
    return reader.state.seq >= receipt.state_seq


def test_the_check_would_notice_a_keeper_that_does_not_publish_before_it_acknowledges(tmp_path, monkeypatch):
    with keeper_and_reader(tmp_path) as (keeper, reader):
        assert knows_the_next_event(keeper, reader)
        monkeypatch.setattr(keeper._stores.keeper, "folded", int)  # the planted fault
        assert not knows_the_next_event(keeper, reader)


def test_the_check_would_notice_a_reader_that_does_not_look_at_the_page(tmp_path, monkeypatch):
    with keeper_and_reader(tmp_path) as (keeper, reader):
        monkeypatch.setattr(ReaderHome, "catch_up", lambda *_: True)
        assert not knows_the_next_event(keeper, reader)


def test_people_are_read_anew_where_changes_are_no_longer_known_one_by_one(tmp_path):
    profiles = SqliteProfiles(tmp_path / "profiles.db")
    followed = FollowedProfiles(tmp_path / "profiles.db")
    profiles.put({"old": {"age": 1.0}, "gone": {"age": 2.0}})
    seen = followed.people_after(0)
    assert (set(seen.people), seen.is_all) == ({"old", "gone"}, False)
    profiles.put({"new": {"age": 3.0}})
    assert set(followed.people_after(seen.version).people) == {"new"}
    profiles.delete(["gone"])
    everyone = followed.people_after(seen.version + 1)
    assert (set(everyone.people), everyone.is_all) == ({"old", "new"}, True)
    profiles.put({f"many-{number}": {"age": 4.0} for number in range(KEPT_CHANGES + 2)})
    assert followed.people_after(everyone.version).is_all
    followed.close()
    profiles.close()


def test_only_the_keeper_writes(tmp_path):
    with keeper_and_reader(tmp_path) as (keeper, reader):
        assert isinstance(keeper, KeeperHome)
        for write in (
            lambda: reader.put_items([Item(item_id="x")]),
            lambda: reader.delete_items(["first"]),
            lambda: reader.put_people({"u": {"age": 1.0}}),
            lambda: reader.recorder.record([{"user_id": "u", "item_id": "i", "type": "view"}], now=NOW),
        ):
            with pytest.raises(Exception, match="opened for reading"):
                write()
