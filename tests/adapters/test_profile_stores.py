"""Profiles keep the promises of their port."""

import resource
import shutil
from contextlib import closing, contextmanager

import pytest

from foretaste.adapters.memory.profiles import MemoryProfiles
from foretaste.adapters.sqlite.profiles import SqliteProfiles
from foretaste.adapters.sqlite.read_only import ReadOnlyProfiles
from foretaste.domain.errors import NotDurableError, UnavailableError
from foretaste.testing.contracts.profiles import ProfilesContract


class TestMemory(ProfilesContract):
    durable = False

    @pytest.fixture
    def reopen(self):
        return MemoryProfiles


class TestSqlite(ProfilesContract):
    @pytest.fixture
    def reopen(self, tmp_path):
        opened = []

        def again():
            for store in opened:
                store.close()
            opened.append(SqliteProfiles(tmp_path / "profiles.db"))
            return opened[-1]

        yield again
        opened[-1].close()

    def test_a_put_that_fails_leaves_all_as_it_was(self, reopen):
        profiles = reopen()
        with pytest.raises(TypeError):
            profiles.put({"anna": {"age": 24.0}, "ben": {"age": object()}})
        assert profiles.all() == {}


@contextmanager
def nothing_can_be_written():
    """Let no file of this process grow, as on a full disk."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


@pytest.fixture
def told(tmp_path):
    """A closed file that tells of Anna."""
    path = tmp_path / "profiles.db"
    with closing(SqliteProfiles(path)) as profiles:
        profiles.put({"anna": {"age": 24.0}})
    return path


def test_what_a_full_disk_refuses_is_not_told_of_and_can_be_put_later(told):
    with closing(SqliteProfiles(told)) as profiles:
        with nothing_can_be_written(), pytest.raises(NotDurableError, match="free disk space"):
            profiles.put({"ben": {"age": 30.0}})
        assert profiles.get("ben") is None
        profiles.put({"ben": {"age": 31.0}})
        assert profiles.get("ben") == {"age": 31.0}


def test_who_only_reads_sees_people_and_changes_nothing(told, tmp_path):
    with closing(ReadOnlyProfiles(told)) as profiles:
        assert profiles.all() == {"anna": profiles.get("anna")} == {"anna": {"age": 24.0}}
        with pytest.raises(UnavailableError, match="reading only"):
            profiles.put({"ben": {}})
        with pytest.raises(UnavailableError, match="reading only"):
            profiles.delete(["anna"])
    with closing(ReadOnlyProfiles(tmp_path / "none.db")) as profiles:
        assert (profiles.all(), profiles.get("anna")) == ({}, None)
    assert not (tmp_path / "none.db").exists()


def test_a_file_beside_which_nothing_can_be_written_is_read(told):
    with nothing_can_be_written(), closing(ReadOnlyProfiles(told)) as profiles:
        assert profiles.all() == {"anna": {"age": 24.0}}


def test_what_its_log_holds_more_is_not_passed_over(told, tmp_path):
    torn = tmp_path / "torn.db"
    with closing(SqliteProfiles(told)) as profiles:
        profiles.put({"ben": {"age": 30.0}})
        shutil.copy(told, torn)
        shutil.copy(f"{told}-wal", f"{torn}-wal")
    with nothing_can_be_written(), pytest.raises(UnavailableError, match="free disk space"):
        ReadOnlyProfiles(torn)
