"""The promises of `ports.vector_index.VectorIndex`."""

from pathlib import Path

import numpy as np
import pytest

from foretaste.domain.arrays import Floats, Mask, Ordinals
from foretaste.domain.errors import CorruptArtifactError
from foretaste.ports.vector_index import VectorIndex

ROWS, DIM, QUERIES = 1_500, 16, 20


def rows(seed: int = 0, count: int = ROWS) -> Floats:
    """Return vectors of length one in a dozen clusters, the same for every seed."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((12, DIM))
    vectors = centres[generator.integers(0, 12, count)] + 0.5 * generator.standard_normal((count, DIM))
    unit: Floats = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def truth(vectors: Floats, queries: Floats, k: int, allowed: Mask | None = None) -> Ordinals:
    """Return the right answer, plainly: [q, k], -1 where fewer are allowed."""
    products = queries.astype(np.float64) @ vectors.T.astype(np.float64)
    if allowed is not None:
        products[:, ~allowed] = -np.inf
    order = np.argsort(-products, axis=1, kind="stable")[:, :k]
    return np.where(np.isinf(np.take_along_axis(products, order, axis=1)), -1, order).astype(np.int32)


class VectorIndexContract:
    """Subclass it and say how an index is made; `recall` is the least share of the true best ten found."""

    recall = 1.0

    def new(self) -> VectorIndex:
        """Return an index without rows."""
        raise NotImplementedError

    def built(self, vectors: Floats) -> VectorIndex:
        """Return an index of `vectors`."""
        index = self.new()
        index.build(vectors)
        return index

    def test_it_finds_the_largest_inner_products(self) -> None:
        vectors, queries = rows(), rows(1, QUERIES)
        found, scores = self.built(vectors).search(queries, 10)
        assert found.dtype == np.int32
        assert scores.dtype == np.float32
        right = truth(vectors, queries, 10)
        shares = [len(np.intersect1d(a, b)) / 10 for a, b in zip(found, right, strict=True)]
        assert np.mean(shares) >= self.recall

    def test_scores_are_the_inner_products_of_the_rows_found_and_fall(self) -> None:
        vectors, queries = rows(), rows(1, QUERIES)
        found, scores = self.built(vectors).search(queries, 25)
        for query, ordinals, values in zip(queries, found, scores, strict=True):
            assert len(set(ordinals.tolist())) == 25
            assert values == pytest.approx(vectors[ordinals] @ query, abs=1e-5)
            assert (np.diff(values) <= 0.0).all()

    def test_equal_rows_come_by_rising_ordinal(self) -> None:
        vectors = np.repeat(rows(count=3), 4, axis=0)
        found, _ = self.built(vectors).search(vectors[:1], 12)
        assert found[0, :4].tolist() == [0, 1, 2, 3]
        for group in (found[0, 4:8], found[0, 8:]):
            assert group.tolist() == sorted(group.tolist())

    @pytest.mark.parametrize("count", [1, 5, 40, 400, ROWS - 1])
    def test_a_filter_is_applied_before_the_search_and_never_starves_it(self, count: int) -> None:
        vectors, queries = rows(), rows(2, QUERIES)
        index = self.built(vectors)
        allowed = np.zeros(ROWS, np.bool_)
        allowed[np.random.default_rng(count).permutation(ROWS)[:count]] = True
        found, scores = index.search(queries, 10, allowed)
        right = truth(vectors, queries, 10, allowed)
        assert (found >= 0).sum(axis=1).tolist() == [min(10, count)] * QUERIES
        assert allowed[found[found >= 0]].all()
        assert np.isneginf(scores[found < 0]).all()
        shares = [np.isin(b[b >= 0], a).mean() for a, b in zip(found, right, strict=True)]
        assert np.mean(shares) >= self.recall

    def test_nothing_allowed_gives_nothing(self) -> None:
        found, scores = self.built(rows()).search(rows(1, 2), 3, np.zeros(ROWS, np.bool_))
        assert found.tolist() == [[-1, -1, -1]] * 2
        assert np.isneginf(scores).all()

    def test_fewer_rows_than_asked_for_are_filled_up(self) -> None:
        found, scores = self.built(rows(count=4)).search(rows(1, 3), 6)
        assert (found[:, 4:] == -1).all()
        assert np.isneginf(scores[:, 4:]).all()
        assert [sorted(row) for row in found[:, :4].tolist()] == [[0, 1, 2, 3]] * 3

    def test_no_rows_no_queries_and_no_places_are_allowed(self) -> None:
        empty = self.built(np.empty((0, DIM), np.float32))
        assert empty.search(rows(1, 2), 3)[0].tolist() == [[-1, -1, -1]] * 2
        index = self.built(rows())
        assert index.search(np.empty((0, DIM), np.float32), 3)[0].shape == (0, 3)
        assert index.search(rows(1, 2), 0)[0].shape == (2, 0)

    def test_building_again_forgets_the_rows_before(self) -> None:
        index = self.built(rows())
        index.build(rows(3, 10))
        assert index.search(rows(1, 2), 20)[0].max() == 9

    def test_what_was_saved_answers_alike(self, tmp_path: Path) -> None:
        index, queries = self.built(rows()), rows(1, QUERIES)
        index.save(tmp_path / "items.index")
        other = self.new()
        other.load(tmp_path / "items.index")
        for one, two in zip(index.search(queries, 10), other.search(queries, 10), strict=True):
            assert one.tobytes() == two.tobytes()

    @pytest.mark.parametrize("damage", ["cut", "flip", "begin", "empty", "missing"])
    def test_a_damaged_file_is_named_and_changes_nothing(self, tmp_path: Path, damage: str) -> None:
        path = tmp_path / "items.index"
        index, queries = self.built(rows()), rows(1, 2)
        index.save(path)
        before = index.search(queries, 5)[0].tolist()
        data = bytearray(path.read_bytes())
        if damage == "flip":
            data[-9] ^= 4
        elif damage == "begin":
            data[:2] = b"\xff\x00"
        elif damage in {"cut", "empty"}:
            del data[-1 if damage == "cut" else 0 :]
        path.write_bytes(data)
        if damage == "missing":
            path.unlink()
        with pytest.raises(CorruptArtifactError, match=r"items\.index"):
            index.load(path)
        assert index.search(queries, 5)[0].tolist() == before
