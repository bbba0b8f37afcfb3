"""The kinds of FAISS index: how each is made, how hard it searches, and how its recall is measured."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from foretaste.adapters.faiss.library import library
from foretaste.adapters.index_recall import BEST, least_effort
from foretaste.domain.arrays import Floats, Int64s

FaissKind = Literal["flat", "ivf", "hnsw"]
Choice = Literal["auto", "flat", "ivf", "hnsw"]

FLAT_NUMBERS = 4_000_000
"""Up to so many numbers (rows times dimension) `auto` compares all: a query takes a millisecond or two."""

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


def built(kind: Choice, rows: Floats, *, effort: int | None, least_recall: float, threads: int) -> Built:
    """Build an index of `rows`.

    Without an `effort` it is the least that finds `least_recall` of the true best ten on a sample of
    questions, measured here. `auto` chooses a kind by size, and compares all rows where no affordable
    effort is enough.
    """
    chosen = kind_for(*rows.shape) if kind == "auto" else kind
    with _threads(threads):
        index = _flat(rows) if chosen == "flat" or not len(rows) else _approximate(chosen, rows)
        if not isinstance(index, (library.IndexIVFFlat, library.IndexHNSW)):
            return Built("flat", index, 0, 1.0)

        def ask(questions: Floats, tried: int) -> Int64s:
            found: Int64s = index.search(questions, BEST, params=parameters(index, tried))[1]
            return found

        most = max(1, int(MOST_PROBED * index.nlist)) if chosen == "ivf" else MOST_BREADTH
        first = LEAST_EFFORT[chosen]
        tried, recall = least_effort(ask, rows, first=first, most=most, effort=effort, least=least_recall)
        if kind == "auto" and recall < least_recall:
            return Built("flat", _flat(rows), 0, 1.0)
    return Built(chosen, index, tried, recall)


def parameters(index: Any, effort: int, selector: Any = None) -> Any:
    """Return FAISS's search parameters for an index and an effort."""
    if isinstance(index, library.IndexIVFFlat):
        return library.SearchParametersIVF(sel=selector, nprobe=max(1, min(effort, index.nlist)))
    if isinstance(index, library.IndexHNSW):
        return library.SearchParametersHNSW(sel=selector, efSearch=effort)
    return library.SearchParameters(sel=selector)


def _approximate(kind: FaissKind, rows: Floats) -> Any:
    count, dim = rows.shape
    if kind == "hnsw":
        index = library.IndexHNSWFlat(dim, LINKS, library.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = BREADTH_WHEN_BUILT
        return _filled(index, rows)
    lists = min(count // ROWS_PER_LIST, int(LISTS_PER_ROOT * count**0.5))
    if lists < 2:
        return _flat(rows)
    index = library.IndexIVFFlat(library.IndexFlatIP(dim), dim, lists, library.METRIC_INNER_PRODUCT)
    index.cp.max_points_per_centroid = ROWS_PER_LIST
    index.train(rows)
    _filled(index, rows)
    index.make_direct_map()  # so that rows can be read back
    return index


def _flat(rows: Floats) -> Any:
    return _filled(library.IndexFlatIP(rows.shape[1]), rows)


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
