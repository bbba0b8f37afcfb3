"""Profiles keep the promises of their port."""

import pytest

from foretaste.adapters.memory.profiles import MemoryProfiles
from foretaste.adapters.sqlite.profiles import SqliteProfiles
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
