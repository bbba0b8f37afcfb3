"""Recipes of scenarios are kept alike in memory, in a file and in PostgreSQL."""

import os
from contextlib import closing

import pytest

from foretaste.adapters.files.scenario_store import FileScenarioStore
from foretaste.adapters.memory.scenario_store import MemoryScenarioStore
from foretaste.adapters.postgres.scenario_store import PostgresScenarioStore
from foretaste.domain.errors import UnavailableError
from foretaste.testing.contracts.scenario_store import ScenarioStoreContract, scenario_record
from foretaste.testing.postgres_sites import PostgresSite


class TestMemoryScenarioStore(ScenarioStoreContract):
    durable = False

    @pytest.fixture
    def reopen(self):
        return MemoryScenarioStore


class TestFileScenarioStore(ScenarioStoreContract):
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "scenarios.jsonl"

    @pytest.fixture
    def reopen(self, path):
        return lambda: FileScenarioStore(path)

    def test_a_line_that_was_cut_off_is_passed_over(self, path, reopen, caplog):
        reopen().append([scenario_record("cart", "v1"), scenario_record("cart", "v2")])
        path.write_bytes(path.read_bytes()[:-9])
        reopen().append([scenario_record("home", "v3")])
        assert [record.version for record in reopen().records()] == ["v1", "v3"]
        assert "cannot be read" in caplog.text

    def test_several_processes_may_add(self, reopen):
        stores = [reopen() for _ in range(3)]
        for number, store in enumerate(stores * 4):
            store.append([scenario_record("cart", f"v{number}")])
        assert [record.version for record in reopen().records()] == [f"v{number}" for number in range(12)]

    def test_a_file_that_cannot_be_written_says_so(self, path, reopen):
        path.mkdir()
        with pytest.raises(UnavailableError, match="cannot be written"):
            reopen().append([scenario_record("cart", "v1")])

    def test_what_cannot_be_written_whole_is_not_written(self, reopen, monkeypatch):
        def full(_file):
            raise OSError(28, "No space left on device")

        reopen().append([scenario_record("cart", "v1")])
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(UnavailableError, match="No space left"):
            reopen().append([scenario_record("cart", "v2")])
        assert [record.version for record in reopen().records()] == ["v1"]


class TestPostgresScenarioStore(ScenarioStoreContract):
    @pytest.fixture
    def reopen(self, postgres):
        with closing(PostgresSite(postgres)) as site:
            yield lambda: PostgresScenarioStore(site._schema.database())
