"""FAISS indexes choose themselves by size and measured recall, and are mapped from disk."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.adapters.faiss import kinds, search
from foretaste.adapters.faiss.library import library
from foretaste.adapters.faiss.vector_index import FaissIndexHeader, FaissVectorIndex
from foretaste.adapters.index_file import write_index
from foretaste.adapters.index_labels import LabelTable
from foretaste.adapters.memory.vector_index import MemoryVectorIndex
from foretaste.domain.errors import CorruptArtifactError
from foretaste.testing.contracts.vector_index import DIM, rows, share_found, truth

MANY = 12_000
NO_LABELS = LabelTable().dump()


@pytest.fixture(scope="module", params=["ivf", "hnsw"])
def large(request):
    index = FaissVectorIndex(request.param)
    index.build(rows(0, MANY))
    return index


def noise(count: int, dim: int = 48) -> np.ndarray:
    """Return vectors without any clusters: the hardest for an approximate index."""
    return np.random.default_rng(3).standard_normal((count, dim)).astype(np.float32)


def test_auto_compares_all_rows_while_that_is_quick():
    index = FaissVectorIndex()
    index.build(rows())
    assert (index.kind, index.effort, index.recall) == ("flat", 0, 1.0)


def test_auto_takes_lists_for_many_rows_and_searches_as_hard_as_the_recall_asks(monkeypatch):
    monkeypatch.setattr(kinds, "FLAT_NUMBERS", MANY)
    easy, hard = FaissVectorIndex(least_recall=0.9), FaissVectorIndex(least_recall=0.99)
    for index in (easy, hard):
        index.build(rows(0, MANY))
        assert index.kind == "ivf"
    assert 0.9 <= easy.recall <= 1.0
    assert hard.recall >= 0.99
    assert hard.effort > easy.effort


def test_auto_compares_all_rows_where_no_affordable_effort_finds_enough(monkeypatch):
    monkeypatch.setattr(kinds, "FLAT_NUMBERS", 0)
    index = FaissVectorIndex(least_recall=0.99)
    index.build(noise(4_000))
    assert (index.kind, index.recall) == ("flat", 1.0)


def test_a_kind_asked_for_by_name_stays_and_says_what_it_finds():
    index = FaissVectorIndex("ivf", least_recall=0.99)
    index.build(noise(4_000))
    assert index.kind == "ivf"
    assert index.recall < 0.99


def test_an_effort_that_is_given_is_kept():
    index = FaissVectorIndex("hnsw", effort=33)
    index.build(rows())
    assert index.effort == 33


def test_the_recall_measured_is_the_recall_of_other_questions(large):
    queries = rows(9, 100)
    found, _ = large.search(queries, 10)
    assert large.recall >= 0.95
    assert share_found(found, truth(rows(0, MANY), queries, 10)) >= 0.95


def far_recall(index, share: float) -> float:
    """Return the recall where only the rows farthest from the question are allowed."""
    vectors, shares = rows(0, MANY), []
    for query in rows(8, 8):
        allowed = np.zeros(MANY, np.bool_)
        allowed[np.argsort(vectors @ query)[: int(share * MANY)]] = True
        found, _ = index.search(query[None], 10, allowed)
        shares.append(share_found(found, truth(vectors, query[None], 10, allowed)))
    return float(np.mean(shares))


@pytest.mark.parametrize("share", [0.9, 0.6])
def test_a_filter_that_allows_only_what_is_far_is_answered_as_well(large, share):
    assert far_recall(large, share) >= 0.95


def test_without_witnesses_such_a_filter_is_answered_badly(monkeypatch):
    monkeypatch.setattr(search, "WITNESSES", 0)
    index = FaissVectorIndex("ivf")
    index.build(rows(0, MANY))
    assert far_recall(index, 0.9) < 0.8


@pytest.mark.parametrize("kind", ["flat", "ivf", "hnsw"])
def test_the_same_rows_give_the_same_bytes(kind, tmp_path):
    for name in ("one", "two"):
        index = FaissVectorIndex(kind)
        index.build(rows(0, 3_000))
        index.save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def anonymous_megabytes() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon:"))) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="tells memory that is no file only on Linux")
@pytest.mark.parametrize("kind", ["flat", "ivf", "hnsw"])
def test_a_saved_index_is_mapped_and_takes_no_memory_of_its_own(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(search, "WITNESSES", 100)
    vectors = np.tile(rows(0, 4_000), 8)
    assert vectors.nbytes == 4_000 * DIM * 8 * 4
    index, loaded = FaissVectorIndex(kind, effort=40), FaissVectorIndex()
    index.build(vectors)
    index.save(tmp_path / "items.index")
    found = index.search(vectors[:3], 5)[0].tolist()
    loaded.load(tmp_path / "items.index")
    del loaded
    before = anonymous_megabytes()
    several = [FaissVectorIndex() for _ in range(20)]
    for each in several:
        each.load(tmp_path / "items.index")
        assert each.search(vectors[:3], 5)[0].tolist() == found
    assert anonymous_megabytes() - before < 20 * vectors.nbytes / 2**20 / 2


@pytest.mark.parametrize("kind", ["flat", "ivf", "hnsw"])
@pytest.mark.parametrize("length", [0, 3, 40, 200, 3_000])
def test_content_that_ends_too_early_is_refused_though_its_hash_is_right(kind, length, tmp_path):
    index, path = FaissVectorIndex(kind), tmp_path / "items.index"
    index.build(rows(0, 300))
    content = library.serialize_index(index._now.index).tobytes()
    header = FaissIndexHeader(kind=kind, rows=300, dim=DIM, effort=1, recall=1.0, longest=1.0)
    for claimed in (header, FaissIndexHeader(kind=kind, rows=0, dim=0, effort=1, recall=1.0, longest=1.0)):
        write_index(path, claimed, content[:length], NO_LABELS)
        with pytest.raises(CorruptArtifactError, match=r"items\.index"):
            FaissVectorIndex().load(path)


@settings(max_examples=60)
@given(content=st.binary(max_size=200))
def test_whatever_the_bytes_they_are_no_index(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "items.index"
    header = FaissIndexHeader(kind="flat", rows=0, dim=1, effort=0, recall=1.0, longest=0.0)
    write_index(path, header, content, NO_LABELS)
    with pytest.raises(CorruptArtifactError):
        FaissVectorIndex().load(path)
    path.write_bytes(content)
    for index in (FaissVectorIndex(), MemoryVectorIndex()):
        with pytest.raises(CorruptArtifactError):
            index.load(path)


@pytest.mark.parametrize("claim", ["kind", "rows", "dim"])
def test_a_first_line_that_the_index_contradicts_is_refused(claim, tmp_path):
    index, path = FaissVectorIndex("flat"), tmp_path / "items.index"
    index.build(rows(0, 300))
    said = {"kind": "flat", "rows": 300, "dim": DIM} | {claim: {"kind": "hnsw", "rows": 299, "dim": 8}[claim]}
    content = library.serialize_index(index._now.index)
    write_index(path, FaissIndexHeader(**said, effort=1, recall=1.0, longest=1.0), content, NO_LABELS)
    with pytest.raises(CorruptArtifactError, match="first line"):
        FaissVectorIndex().load(path)


@st.composite
def questions(draw):
    """Draw rows with many equals, queries, k and perhaps a mask."""
    seed, dim = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 40))
    count, different = draw(st.integers(1, 300)), draw(st.integers(1, 8))
    rng = np.random.default_rng(seed)
    base = rng.integers(-3, 4, (different, dim)) * np.float32(draw(st.sampled_from([1.0, 0.1, 1e-20, 1e7])))
    vectors = base[rng.integers(0, different, count)].astype(np.float32)
    queries = rng.standard_normal((draw(st.integers(1, 40)), dim)).astype(np.float32)
    allowed = rng.random(count) < 0.4 if draw(st.booleans()) else None
    return vectors, queries, draw(st.integers(0, count + 5)), allowed


@settings(max_examples=150)
@given(questions())
def test_exact_indexes_agree_to_the_last_place_also_among_equals(asked):
    vectors, queries, k, allowed = asked
    products = (queries[:, None, :].astype(np.float64) * vectors[None].astype(np.float64)).sum(axis=2)
    scores = products.astype(np.float32)
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    right = np.where(np.isinf(np.take_along_axis(scores, order, axis=1)), -1, order)
    right = np.pad(right, ((0, 0), (0, max(0, k - right.shape[1]))), constant_values=-1)
    for index in (MemoryVectorIndex(), FaissVectorIndex("flat")):
        index.build(vectors)
        assert index.search(queries, k, allowed)[0].tolist() == right.tolist()
