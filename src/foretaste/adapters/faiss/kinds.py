"""The kinds of FAISS index: how each is made, how hard it searches, and how its recall is measured."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from foretaste.adapters.faiss.library import library
from foretaste.domain.arrays import Floats

FaissKind = Literal["flat", "ivf", "hnsw"]
Choice = Literal["auto", "flat", "ivf", "hnsw"]

FLAT_NUMBERS = 4_000_000
"""Up to so many numbers (rows times dimension) `auto` compares all: a query takes less than a millisecond."""

LEAST_RECALL = 0.95
"""The least share of the true best ten that an approximate index is to find."""
SAMPLES, BEST = 200, 10
"""How recall is measured: on so many questions, about so many best."""

LISTS_PER_ROOT = 4
ROWS_PER_LIST = 64
LINKS, BREADTH_WHEN_BUILT = 16, 100
LEAST_EFFORT = {"flat": 0, "ivf": 4, "hnsw": 32}
MOST_BREADTH = 1024
MOST_PROBED = 0.25
"""Where more than this share of the lists must be probed, or a wider queue than `MOST_BREADTH` is needed,
comparing all rows is no slower."""


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """An index, how hard it searches (lists probed or breadth of the queue), and its measured recall."""

    kind: FaissKind
    index: Any
    effort: int
    recall: float


def kind_for(rows: int, dim: int) -> FaissKind:
    """Return what `auto` is for so many rows: exact while that is quick, else lists, which filters suit."""
    return "flat" if rows * dim <= FLAT_NUMBERS else "ivf"


def built(
    kind: Choice, rows: Floats, *, effort: int | None, least_recall: float, threads: int, seed: int = 0
) -> Built:
    """Build an index of `rows`.

    Without an `effort` it is the least that finds `least_recall` of the true best ten on a sample of
    questions, measured here. `auto` chooses a kind by size, and compares all rows where no affordable effort is enough.
    """
    chosen = kind_for(*rows.shape) if kind == "auto" else kind
    with _threads(threads):
        flat = _filled(library.IndexFlatIP(rows.shape[1]), rows)
        index = flat if chosen == "flat" or not len(rows) else _approximate(chosen, rows)
        if not isinstance(index, (library.IndexIVFFlat, library.IndexHNSW)):
            return Built("flat", flat, 0, 1.0)
        questions = sample_questions(rows, seed)
        truth = flat.search(questions, min(BEST, len(rows)))[1]
        most = max(1, int(MOST_PROBED * index.nlist)) if chosen == "ivf" else MOST_BREADTH
        tried = min(LEAST_EFFORT[chosen], most) if effort is None else effort
        recall = recall_of(index, tried, questions, truth)
        while effort is None and recall < least_recall and tried < most:
            tried = min(2 * tried, most)
            recall = recall_of(index, tried, questions, truth)
    if kind == "auto" and recall < least_recall:
        return Built("flat", flat, 0, 1.0)
    return Built(chosen, index, tried, recall)


def parameters(index: Any, effort: int, selector: Any = None) -> Any:
    """Return FAISS's search parameters for an index and an effort."""
    if isinstance(index, library.IndexIVFFlat):
        return library.SearchParametersIVF(sel=selector, nprobe=max(1, min(effort, index.nlist)))
    if isinstance(index, library.IndexHNSW):
        return library.SearchParametersHNSW(sel=selector, efSearch=effort)
    return library.SearchParameters(sel=selector)


def sample_questions(rows: Floats, seed: int) -> Floats:
    """Return questions like those to come: rows, and, every other one, a mean of two."""
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, len(rows), (2, min(SAMPLES, len(rows))))
    one[::2] = other[::2]
    return np.ascontiguousarray((rows[one] + rows[other]) / np.float32(2.0))


def recall_of(index: Any, effort: int, questions: Floats, truth: Any) -> float:
    """Return the share of `truth` (ordinals [q, k]) that the index finds."""
    found = index.search(questions, truth.shape[1], params=parameters(index, effort))[1]
    return float(np.mean([np.isin(right, own).mean() for right, own in zip(truth, found, strict=True)]))


def _approximate(kind: FaissKind, rows: Floats) -> Any:
    count, dim = rows.shape
    if kind == "hnsw":
        index = library.IndexHNSWFlat(dim, LINKS, library.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = BREADTH_WHEN_BUILT
        return _filled(index, rows)
    lists = min(count // ROWS_PER_LIST, int(LISTS_PER_ROOT * count**0.5))
    if lists < 2:
        return library.IndexFlatIP(dim)
    index = library.IndexIVFFlat(library.IndexFlatIP(dim), dim, lists, library.METRIC_INNER_PRODUCT)
    index.cp.max_points_per_centroid = ROWS_PER_LIST
    index.train(rows)
    _filled(index, rows)
    index.make_direct_map()  # so that rows can be read back
    return index


def _filled(index: Any, rows: Floats) -> Any:
    if len(rows):
        index.add(rows)
    return index


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let FAISS use so many threads for what this thread asks of it: one gives the same index every time."""
    before = library.omp_get_max_threads()
    library.omp_set_num_threads(count)
    try:
        yield
    finally:
        library.omp_set_num_threads(before)
