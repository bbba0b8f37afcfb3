"""Vector indexes keep the promises of their port."""

import builtins
import importlib
import sys

import numpy as np
import pytest

from foretaste.adapters import index_file
from foretaste.adapters.faiss.vector_index import FaissVectorIndex
from foretaste.adapters.index_labels import LabelTable
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


class FiltersAfterTheSearch(MemoryVectorIndex):
    """Looks for the best of all rows, and then leaves out what is not allowed."""

    def search(self, queries, k, allowed=None, **_):
        found, scores = super().search(queries, k)
        if allowed is not None:
            scores[~allowed[found]] = -np.inf
            found[~allowed[found]] = -1
        return found, scores


class LosesTheLabels(MemoryVectorIndex):
    """Saves rows without their labels."""

    def save(self, path):
        kept, self._labels = self._labels, LabelTable()
        super().save(path)
        self._labels = kept


class OrdersByProductAlone(MemoryVectorIndex):
    """Leaves the order of equals to the sort."""

    def search(self, queries, k, allowed=None, **labels):
        found, scores = super().search(queries, k, allowed, **labels)
        return found[:, ::-1], scores[:, ::-1]


class TakesAnything(MemoryVectorIndex):
    """Indexes what is no number."""

    def build(self, vectors, labels=None):
        super().build(np.nan_to_num(vectors, posinf=1.0, neginf=1.0).clip(-1.0, 1.0), labels)


def broken(fault: type[MemoryVectorIndex]) -> VectorIndexContract:
    class Broken(VectorIndexContract):
        def new(self):
            return fault()

    return Broken()


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (
            FiltersAfterTheSearch,
            lambda contract, _: contract.test_a_filter_is_applied_before_the_search_and_never_starves_it(40),
        ),
        (LosesTheLabels, lambda contract, folder: contract.test_what_was_saved_answers_alike(folder)),
        (OrdersByProductAlone, lambda contract, _: contract.test_equal_rows_come_by_rising_ordinal()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_planted_fault_breaks_the_promise_it_attacks(fault, check, tmp_path):
    with pytest.raises(AssertionError):
        check(broken(fault), tmp_path)


def test_an_index_that_takes_anything_is_caught():
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        broken(TakesAnything).test_numbers_that_are_none_are_refused_and_change_nothing(np.nan)


def test_without_the_hash_a_flipped_bit_goes_unnoticed(monkeypatch, tmp_path):
    monkeypatch.setattr(index_file, "_digest", lambda *_: "")
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        broken(MemoryVectorIndex).test_a_damaged_file_is_named_and_changes_nothing(tmp_path, "flip")


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
