"""Vector indexes keep the promises of their port."""

import builtins
import importlib
import sys

import pytest

from foretaste.adapters.faiss.vector_index import FaissVectorIndex
from foretaste.adapters.memory.vector_index import MemoryVectorIndex
from foretaste.domain.errors import CorruptArtifactError, MissingExtraError
from foretaste.testing.contracts.vector_index import VectorIndexContract, rows


class TestMemoryVectorIndex(VectorIndexContract):
    def new(self):
        return MemoryVectorIndex()


class TestFaissFlat(VectorIndexContract):
    def new(self):
        return FaissVectorIndex("flat")


class TestFaissIVF(VectorIndexContract):
    recall = 0.95

    def new(self):
        return FaissVectorIndex("ivf")


class TestFaissIVFWithOneProbe(VectorIndexContract):
    """Looking into one list of many finds too few: the answer must not be starved all the same."""

    recall = 0.5

    def new(self):
        return FaissVectorIndex("ivf", effort=1)


class TestFaissHNSW(VectorIndexContract):
    recall = 0.95

    def new(self):
        return FaissVectorIndex("hnsw")


def test_all_indexes_agree():
    vectors, queries = rows(), rows(1, 8)
    answers = []
    for index in (MemoryVectorIndex(), FaissVectorIndex("flat"), FaissVectorIndex("ivf", effort=10**6)):
        index.build(vectors)
        answers.append(index.search(queries, 10)[0].tolist())
    assert answers[0] == answers[1] == answers[2]


def test_an_index_of_another_kind_is_refused(tmp_path):
    index = MemoryVectorIndex()
    index.build(rows(count=5))
    index.save(tmp_path / "items.index")
    with pytest.raises(CorruptArtifactError, match=r"items\.index"):
        FaissVectorIndex().load(tmp_path / "items.index")


def test_the_exact_index_keeps_its_own_copy():
    vectors = rows(count=5)
    query = vectors[:1].copy()
    index = MemoryVectorIndex()
    index.build(vectors)
    vectors[:] = 0.0
    assert index.search(query, 1)[1][0, 0] == pytest.approx(1.0, abs=1e-5)


def test_without_faiss_the_message_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name == "faiss":
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **named)

    for name in [name for name in sys.modules if name.startswith("foretaste.adapters.faiss")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'foretaste\[faiss\]'"):
        importlib.import_module("foretaste.adapters.faiss.vector_index")
