"""Vector indexes by FAISS: Flat (exact), IVF and HNSW (approximate)."""

import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np

from foretaste.adapters.index_file import IndexHeader, read_index, write_index
from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.errors import CorruptArtifactError, MissingExtraError

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of SWIG, at import, on Python 3.12 and later
        import faiss
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "the vector index `faiss` needs FAISS: pip install 'foretaste[faiss]'", field="vector_index"
    ) from error

_faiss: Any = faiss
"""Untyped: the stubs that come with FAISS lack its search parameters."""

FaissKind = Literal["flat", "ivf", "hnsw"]

ROWS_PER_LIST = 64
ENOUGH_TO_TRAIN = 39
"""Rows per list below which FAISS warns that its clusters mean little."""
SELECTIVE = 0.1
"""Where no more than this share of the rows is allowed, all of them are compared: quicker than a detour."""


class FaissIndexHeader(IndexHeader, frozen=True, tag="faiss"):
    """What kind of index follows in FAISS's own format."""

    kind: FaissKind
    rows: int
    dim: int


class FaissVectorIndex:
    """A FAISS index behind the port.

    `ivf` looks into `probes` of about one list per 64 rows; `hnsw` has `links` per row and a queue of
    `breadth` when searching. An approximate search that finds fewer than it could is repeated exactly.
    """

    def __init__(
        self, kind: FaissKind = "flat", *, probes: int = 32, links: int = 32, breadth: int = 128
    ) -> None:
        self._kind: FaissKind = kind
        self._probes = probes
        self._links = links
        self._breadth = breadth
        self._index: Any = _faiss.IndexFlatIP(1)

    def build(self, vectors: Floats) -> None:
        """Train where the kind needs it, and add the rows. See `VectorIndex`."""
        rows = np.ascontiguousarray(vectors, np.float32)
        self._index = self._empty(len(rows), max(1, rows.shape[1]))
        if len(rows):
            if not self._index.is_trained:
                self._index.train(rows)
            self._index.add(rows)

    def search(self, queries: Floats, k: int, allowed: Mask | None = None) -> tuple[Ordinals, Floats]:
        """Search among the allowed rows. See `VectorIndex`."""
        count = self._index.ntotal if allowed is None else int(np.count_nonzero(allowed))
        wanted = min(k, count)
        ordinals = np.full((len(queries), k), -1, np.int64)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        if wanted and len(queries):
            asked = np.ascontiguousarray(queries, np.float32)
            selective = allowed is not None and count <= SELECTIVE * self._index.ntotal
            found = self._found(asked, wanted, allowed, exactly=selective)
            scores[:, :wanted], ordinals[:, :wanted] = found
            short = np.flatnonzero((ordinals[:, :wanted] < 0).any(axis=1))
            if len(short):
                exact = self._found(asked[short], wanted, allowed, exactly=True)
                scores[short, :wanted], ordinals[short, :wanted] = exact
        return _sorted(ordinals, scores)

    def save(self, path: Path) -> None:
        """Write the index in FAISS's format behind a verified header. See `VectorIndex`."""
        header = FaissIndexHeader(kind=self._kind, rows=self._index.ntotal, dim=self._index.d)
        write_index(path, header, _faiss.serialize_index(self._index).tobytes())

    def load(self, path: Path) -> None:
        """Read what `save` wrote; nothing reaches FAISS before its hash was checked. See `VectorIndex`."""
        header, content = read_index(path, FaissIndexHeader)
        try:
            index = _faiss.deserialize_index(np.frombuffer(content, np.uint8))
        except RuntimeError as error:
            raise CorruptArtifactError(
                f"the index file {path.name!r} cannot be read by FAISS ({error}); build it again"
            ) from error
        self._kind, self._index = header.kind, index

    def _empty(self, n_rows: int, dim: int) -> Any:
        if self._kind == "hnsw":
            return _faiss.IndexHNSWFlat(dim, self._links, _faiss.METRIC_INNER_PRODUCT)
        lists = min(n_rows // ROWS_PER_LIST, n_rows // ENOUGH_TO_TRAIN)
        if self._kind == "ivf" and lists > 1:
            quantizer = _faiss.IndexFlatIP(dim)
            return _faiss.IndexIVFFlat(quantizer, dim, lists, _faiss.METRIC_INNER_PRODUCT)
        return _faiss.IndexFlatIP(dim)

    def _found(
        self, queries: Floats, k: int, allowed: Mask | None, *, exactly: bool
    ) -> tuple[Floats, Int64s]:
        selector = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            selector = _faiss.IDSelectorBitmap(len(bits) * 8, _faiss.swig_ptr(bits))
        index = self._index
        if isinstance(index, _faiss.IndexIVFFlat):
            probes = index.nlist if exactly else min(self._probes, index.nlist)
            parameters = _faiss.SearchParametersIVF(sel=selector, nprobe=probes)
        elif isinstance(index, _faiss.IndexHNSW) and not exactly:
            parameters = _faiss.SearchParametersHNSW(sel=selector, efSearch=max(self._breadth, 2 * k))
        else:
            index = _faiss.downcast_index(index.storage) if isinstance(index, _faiss.IndexHNSW) else index
            parameters = _faiss.SearchParameters(sel=selector)
        scores, ordinals = index.search(queries, k, params=parameters)
        return scores, ordinals


def _sorted(ordinals: Int64s, scores: Floats) -> tuple[Ordinals, Floats]:
    """Order each row by falling score, then by rising ordinal; what was not found last."""
    scores = np.where(ordinals < 0, np.float32(-np.inf), scores)
    order = np.lexsort((ordinals, -scores), axis=1)
    return (
        np.take_along_axis(ordinals, order, axis=1).astype(np.int32),
        np.take_along_axis(scores, order, axis=1),
    )
