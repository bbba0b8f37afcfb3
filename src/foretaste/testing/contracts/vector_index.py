"""The promises of `ports.vector_index.VectorIndex`."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from foretaste.domain.arrays import Floats, Mask, Ordinals
from foretaste.domain.errors import CorruptArtifactError, InvalidInputError, InvalidQueryError
from foretaste.ports.vector_index import Labels, VectorIndex

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


def labels(count: int = ROWS) -> list[Labels]:
    """Return labels in which every value has its regular places; one value needs care when written."""
    return [
        {
            "category": ("even" if place % 2 == 0 else "odd", *(("third",) if place % 3 == 0 else ())),
            "färbe 🎨": ('it\'s "50%"',) if place % 10 == 0 else (),
        }
        for place in range(count)
    ]


def share_found(found: Ordinals, right: Ordinals) -> float:
    """Return the mean share of the right ordinals (-1 is none) that were found."""
    return float(np.mean([np.isin(b[b >= 0], a).mean() for a, b in zip(found, right, strict=True)]))


class VectorIndexContract(ABC):
    """Subclass it and say how an index is made; `recall` is the least share of the true best ten found."""

    recall = 1.0

    @abstractmethod
    def new(self) -> VectorIndex:
        """Return an index without rows."""

    def built(self, vectors: Floats, labels: list[Labels] | None = None) -> VectorIndex:
        """Return an index of `vectors`."""
        index = self.new()
        index.build(vectors, labels)
        return index

    def test_it_finds_the_largest_inner_products(self) -> None:
        vectors, queries = rows(), rows(1, QUERIES)
        found, scores = self.built(vectors).search(queries, 10)
        assert found.dtype == np.int32
        assert scores.dtype == np.float32
        right = truth(vectors, queries, 10)
        assert share_found(found, right) >= self.recall

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
        assert share_found(found, right) >= self.recall

    def test_a_filter_far_from_the_question_does_not_starve_it_either(self) -> None:
        vectors, queries = rows(), rows(2, QUERIES)
        index = self.built(vectors)
        far = np.argsort(vectors @ queries[0])[: ROWS // 3]
        allowed = np.zeros(ROWS, np.bool_)
        allowed[far] = True
        found, _ = index.search(queries[:1], 10, allowed)
        assert share_found(found, truth(vectors, queries[:1], 10, allowed)) >= min(self.recall, 0.9)

    @pytest.mark.parametrize(
        ("filters", "exclude", "passing"),
        [
            ({"category": ["even"]}, None, lambda place: place % 2 == 0),
            ({"category": ["even", "odd"]}, None, lambda place: place >= 0),
            ({"category": ["third"], "färbe 🎨": ['it\'s "50%"']}, None, lambda place: place % 30 == 0),
            (None, {"category": ["third", "odd"]}, lambda place: place % 6 in {2, 4}),
            ({"category": ["even"]}, {"category": ["third"]}, lambda place: place % 6 in {2, 4}),
            ({"category": ["neither"]}, None, lambda place: place < 0),
            ({"nothing": ["x"]}, None, lambda place: place < 0),
            (None, {"nothing": ["x"]}, lambda place: place >= 0),
            ({"category": []}, None, lambda place: place < 0),
        ],
        ids=["value", "values", "attributes", "exclude", "both", "value-nobody-has", "attribute-nobody-has",
             "exclude-what-nobody-has", "no-value"],
    )  # fmt: skip
    def test_labels_filter_before_the_search(
        self,
        filters: dict[str, list[str]] | None,
        exclude: dict[str, list[str]] | None,
        passing: Callable[[int], bool],
    ) -> None:
        vectors, queries = rows(), rows(2, QUERIES)
        index = self.built(vectors, labels())
        mask = np.array([passing(place) for place in range(ROWS)], np.bool_)
        found, _ = index.search(queries, 10, filters=filters, exclude=exclude)
        right = truth(vectors, queries, 10, mask)
        assert (found >= 0).sum(axis=1).tolist() == (right >= 0).sum(axis=1).tolist()
        assert mask[found[found >= 0]].all()
        assert not mask.any() or share_found(found, right) >= self.recall

    def test_labels_and_allowed_rows_both_count(self) -> None:
        vectors, queries = rows(), rows(2, QUERIES)
        allowed = np.arange(ROWS) < 600
        found, _ = self.built(vectors, labels()).search(queries, 10, allowed, filters={"category": ["odd"]})
        mask = allowed & (np.arange(ROWS) % 2 == 1)
        assert mask[found].all()
        assert share_found(found, truth(vectors, queries, 10, mask)) >= self.recall

    def test_rows_come_back_as_they_were_indexed(self) -> None:
        vectors = rows()
        wanted = np.array([7, 0, ROWS - 1, 7], np.int32)
        index = self.built(vectors)
        assert index.rows(wanted) == pytest.approx(vectors[wanted], abs=1e-6)
        assert index.rows(np.empty(0, np.int32)).shape[0] == 0
        for outside in (-1, ROWS):
            with pytest.raises(InvalidQueryError, match="rows are numbered"):
                index.rows(np.array([outside], np.int32))

    def test_rows_of_zeros_are_found_where_nothing_is_better(self) -> None:
        vectors = rows(count=3)
        vectors[1] = 0.0
        query = (vectors[:1] + vectors[2:]) / 2.0
        found, scores = self.built(vectors).search(query, 3)
        assert sorted(found[0].tolist()) == [0, 1, 2]
        assert scores[0, found[0].tolist().index(1)] == 0.0

    @pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e30])
    def test_numbers_that_are_none_are_refused_and_change_nothing(self, number: float) -> None:
        index, queries = self.built(rows()), rows(1, 2)
        before = index.search(queries, 5)[0].tolist()
        bad = rows(3, 20)
        bad[11, 3] = number
        with pytest.raises(InvalidInputError, match="vector 11"):
            index.build(bad)
        with pytest.raises(InvalidQueryError, match="query 11"):
            index.search(bad, 5)
        assert index.search(queries, 5)[0].tolist() == before

    def test_what_does_not_fit_the_index_is_refused(self) -> None:
        index = self.built(rows())
        with pytest.raises(InvalidQueryError, match=f"rows of {DIM} numbers"):
            index.search(np.ones((1, DIM + 1), np.float32), 5)
        with pytest.raises(InvalidQueryError, match=f"rows of {DIM} numbers"):
            index.search(np.ones(DIM, np.float32), 5)
        with pytest.raises(InvalidQueryError, match="k must"):
            index.search(rows(1, 1), -1)
        with pytest.raises(InvalidQueryError, match="allowed"):
            index.search(rows(1, 1), 5, np.ones(ROWS - 1, np.bool_))
        with pytest.raises(InvalidInputError, match="labels"):
            index.build(rows(), labels(3))
        for unfit in ({"category": "one"}, {"category": ["\ud800"]}, {"category": [3]}):
            with pytest.raises(InvalidInputError, match="labels of vector 0"):
                index.build(rows(0, 1), [unfit])  # type: ignore[list-item]
        with pytest.raises(InvalidQueryError, match="list of values"):
            index.search(rows(1, 1), 5, filters={"category": "even"})
        with pytest.raises(InvalidInputError, match="table"):
            index.build(np.ones(DIM, np.float32))

    def test_another_dimension_takes_a_build(self) -> None:
        index = self.built(rows())
        narrow = np.ascontiguousarray(rows()[:, :3])
        index.build(narrow)
        found, _ = index.search(narrow[:5], 1)
        assert found.shape == (5, 1)
        with pytest.raises(InvalidQueryError, match="rows of 3 numbers"):
            index.search(rows(1, 1), 1)

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

    def test_many_may_ask_at_once_each_with_its_filter(self) -> None:
        vectors, queries = rows(), rows(1, 24)
        index = self.built(vectors, labels())
        masks = [np.arange(ROWS) % (2 + place % 5) == 0 for place in range(len(queries))]

        def ask(place: int) -> list[int]:
            found: list[int] = index.search(queries[place][None], 10, masks[place])[0][0].tolist()
            return found

        with ThreadPoolExecutor(6) as pool:
            together = list(pool.map(ask, range(len(queries))))
        assert together == [ask(place) for place in range(len(queries))]

    def test_building_again_forgets_the_rows_before(self) -> None:
        index = self.built(rows())
        index.build(rows(3, 10))
        assert index.search(rows(1, 2), 20)[0].max() == 9

    def test_what_was_saved_answers_alike(self, tmp_path: Path) -> None:
        index, queries = self.built(rows(), labels()), rows(1, QUERIES)
        index.save(tmp_path / "items.index")
        other = self.new()
        other.load(tmp_path / "items.index")
        odd = {"category": ["odd"]}
        for filters in (None, odd):
            asked = index.search(queries, 10, filters=filters), other.search(queries, 10, filters=filters)
            for one, two in zip(*asked, strict=True):
                assert one.tobytes() == two.tobytes()
        some = np.array([3, 1], np.int32)
        assert other.rows(some).tobytes() == index.rows(some).tobytes()

    def test_a_loaded_index_outlives_the_file_being_replaced(self, tmp_path: Path) -> None:
        path, queries = tmp_path / "items.index", rows(1, QUERIES)
        index = self.built(rows())
        index.save(path)
        other = self.new()
        other.load(path)
        before = other.search(queries, 10)[0].tolist()
        self.built(rows(5, 40)).save(path)
        assert other.search(queries, 10)[0].tolist() == before

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
