"""Vector indexes in Qdrant keep the promises of their port: in the client's engine, and in a real server."""

import os
from contextlib import closing
from itertools import count

import numpy as np
import pytest
from qdrant_client import QdrantClient

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.qdrant import collection
from foretaste.adapters.qdrant.server import QdrantServer
from foretaste.adapters.qdrant.vector_index import QdrantVectorIndex
from foretaste.domain.errors import CorruptArtifactError, UnavailableError
from foretaste.testing.contracts.vector_index import VectorIndexContract, labels, rows, share_found, truth

URL = "FORETASTE_TEST_QDRANT_URL"
NAMESPACE = f"test{os.getpid()}"
NUMBERS = count()

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact"),
]


@pytest.fixture(scope="module", params=["in the client", *(["at a server"] if os.environ.get(URL) else [])])
def server(request):
    """Both ways to a Qdrant, as far as there are; whatever was made in our namespace is deleted."""
    if request.param == "in the client":
        opened = QdrantServer(QdrantClient(":memory:"), MemoryTelemetry())
    else:
        opened = QdrantServer.at(os.environ[URL], MemoryTelemetry())
    with closing(opened):
        yield opened
        for name in collections(opened):
            opened.client.delete_collection(name)


def collections(server) -> list[str]:
    names = [each.name for each in server.client.get_collections().collections]
    return sorted(name for name in names if name.startswith(f"ft_{NAMESPACE}_"))


def builds(server, name: str) -> list[str]:
    return [each for each in collections(server) if each.startswith(f"ft_{NAMESPACE}_{name}_")]


def published(server, name: str) -> str:
    """Return the collection that the alias of `name` points to."""
    aliases = server.client.get_aliases().aliases
    return next(each.collection_name for each in aliases if each.alias_name == f"ft_{NAMESPACE}_{name}")


def new_index(server, name=None, **options) -> QdrantVectorIndex:
    return QdrantVectorIndex(server, NAMESPACE, name or f"index{next(NUMBERS)}", **options)


@pytest.mark.skipif(URL not in os.environ, reason=f"no package brings a Qdrant server: name one with {URL}")
def test_all_of_this_ran_at_a_real_server_too():
    with closing(QdrantServer.at(os.environ[URL], MemoryTelemetry())) as real:
        assert real.ask(lambda client: client.info().version)


class TestQdrantVectorIndex(VectorIndexContract):
    recall = 0.95

    @pytest.fixture(autouse=True)
    def _at(self, server):
        self.server = server

    def new(self):
        return new_index(self.server)


def test_what_is_built_again_is_found_there(server):
    index, other = new_index(server, "twice"), new_index(server, "twice")
    index.build(rows(), labels())
    assert len(builds(server, "twice")) == 1
    other.build(rows(), labels())
    assert len(builds(server, "twice")) == 1
    assert other.search(rows(1, 5), 10)[0].tolist() == index.search(rows(1, 5), 10)[0].tolist()


def test_a_build_that_was_cut_off_is_finished(server):
    index = new_index(server, "cut")
    index.build(rows(0, 200))
    (name,) = builds(server, "cut")
    server.client.delete(name, points_selector=list(range(50, 200)), wait=True)
    again = new_index(server, "cut")
    again.build(rows(0, 200))
    assert server.client.count(name, exact=True).count == 200
    assert share_found(again.search(rows(1, 9), 10)[0], truth(rows(0, 200), rows(1, 9), 10)) >= 0.95


def test_the_alias_points_to_the_last_build_and_only_the_one_before_is_kept(server):
    reader, builder = new_index(server, "shared"), new_index(server, "shared")
    new_index(server, "shared_not").build(rows(0, 10))
    reader.build(rows(0, 300))
    before = reader.search(rows(1, 5), 10)[0].tolist()
    first = published(server, "shared")
    builder.build(rows(7, 200))
    assert reader.search(rows(1, 5), 10)[0].tolist() == before
    assert server.client.count(f"ft_{NAMESPACE}_shared", exact=True).count == 200
    builder.build(rows(8, 100))
    assert server.client.count(f"ft_{NAMESPACE}_shared", exact=True).count == 100
    assert not server.client.collection_exists(first)
    assert server.client.count(f"ft_{NAMESPACE}_shared_not", exact=True).count == 10


def test_a_build_that_is_gone_cannot_be_loaded(server, tmp_path):
    index = new_index(server, "gone")
    index.build(rows(0, 50))
    index.save(tmp_path / "items.index")
    with pytest.raises(CorruptArtifactError, match="namespace"):
        QdrantVectorIndex(server, "another").load(tmp_path / "items.index")
    for name in builds(server, "gone"):
        server.client.delete_collection(name)
    with pytest.raises(CorruptArtifactError, match="does not have any more"):
        new_index(server, "gone").load(tmp_path / "items.index")


def test_an_index_never_built_is_empty_and_cannot_be_saved(server, tmp_path):
    index = new_index(server)
    assert index.search(np.ones((1, 4), np.float32), 2)[0].tolist() == [[-1, -1]]
    with pytest.raises(UnavailableError, match="never built"):
        index.save(tmp_path / "items.index")


def test_any_name_will_do(server):
    for name in ("emoji 🍋", "../..", "ä" * 500):
        index = new_index(server, name)
        index.build(rows(0, 30))
        assert index.search(rows(1, 1), 3)[0].shape == (1, 3)


def test_filters_are_pushed_down_as_payload(server):
    index = new_index(server, "pushed")
    index.build(rows(0, 30), labels(30))
    (name,) = builds(server, "pushed")
    (point,) = server.client.retrieve(name, [0], with_payload=True)
    assert point.payload == {"label": ["category=even", "category=third", 'färbe 🎨=it\'s "50%"']}


def test_long_vectors_and_long_lists_of_ordinals_go_in_many_small_requests(server, monkeypatch):
    monkeypatch.setattr(collection, "NUMBERS_AT_ONCE", 100)
    monkeypatch.setattr(collection, "NAMED_AT_ONCE", 300)
    index, queries = new_index(server), rows(1, 7)
    index.build(rows(0, 250))
    allowed = np.arange(250) % 2 == 0
    before = measured(server)[0]
    found, _ = index.search(queries, 10, allowed)
    assert share_found(found, truth(rows(0, 250), queries, 10, allowed)) >= 0.95
    assert measured(server)[0] - before == 4.0


def test_searching_and_retrieving_are_measured(server):
    index = new_index(server)
    index.build(rows(0, 30))
    before = measured(server)
    index.search(rows(1, 1), 3)
    index.rows(np.array([1], np.int32))
    after = measured(server)
    assert [later - earlier for earlier, later in zip(before, after, strict=True)] == [1.0, 1.0]


def measured(server) -> list[float]:
    lines = dict(line.rsplit(" ", 1) for line in server._telemetry.exposition().decode().splitlines())
    names = ("qdrant_search_duration_seconds_count", "qdrant_retrieve_duration_seconds_count")
    return [float(lines.get(name, 0)) for name in names]
