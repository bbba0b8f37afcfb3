"""Blends are kept and agreed on alike in memory, in a file and in PostgreSQL."""

from contextlib import closing

import pytest

from foretaste.adapters.files.blend_store import FileBlendStore
from foretaste.adapters.memory.blend_store import MemoryBlendStore
from foretaste.adapters.postgres.blend_store import PostgresBlendStore
from foretaste.domain.event import Event
from foretaste.ports.blend_store import SPAN
from foretaste.testing.contracts.blend_store import BlendStoreContract, blend_record
from foretaste.testing.postgres_sites import PostgresSite

DAY = 86_400_000_000


def clicked(n):
    return Event(event_id=f"e{n}", user_id="u", item_id="i", type="click", timestamp=n)


class TestMemoryBlendStore(BlendStoreContract):
    @pytest.fixture
    def store(self):
        return MemoryBlendStore()


class TestFileBlendStore(BlendStoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        return FileBlendStore(tmp_path / "blends.jsonl")


class TestPostgresBlendStore(BlendStoreContract):
    @pytest.fixture
    def site(self, postgres):
        with closing(PostgresSite(postgres)) as opened:
            yield opened

    @pytest.fixture
    def store(self, site):
        return PostgresBlendStore(site._schema.database(), retention_days=10.0)

    @pytest.mark.parametrize(("events", "begins"), [(1, SPAN), (SPAN, SPAN), (SPAN + 1, 2 * SPAN)])
    def test_a_blend_begins_where_no_event_is_beyond(self, site, store, events, begins):
        site.open().log.submit([clicked(n) for n in range(events)]).result()
        assert store.agree(blend_record(1)).seq == begins

    def test_old_records_are_forgotten_but_never_the_last_of_an_artifact(self, store):
        for record in (blend_record(1), blend_record(1, artifact="b"), blend_record(2)):
            assert store.agree(record)
        assert store.agree(blend_record(3, time=11 * DAY))
        assert [record.blend_version for record in store.records()] == ["b1", "a3"]
