"""Vector indexes by FAISS: Flat (exact), IVF and HNSW (approximate), chosen by size."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from foretaste.adapters.faiss.kinds import Built, Choice, FaissKind, built
from foretaste.adapters.faiss.library import library
from foretaste.adapters.faiss.search import FaissSearch
from foretaste.adapters.index_file import IndexHeader, read_index, write_index
from foretaste.adapters.index_input import best_first, checked_ordinals, checked_question, checked_rows
from foretaste.adapters.index_labels import LabelTable
from foretaste.adapters.index_recall import LEAST_RECALL
from foretaste.adapters.index_ties import longest
from foretaste.domain.arrays import Floats, Mask, Ordinals
from foretaste.domain.errors import CorruptArtifactError
from foretaste.ports.vector_index import Labels, Values

_KINDS: dict[FaissKind, Any] = {
    "flat": library.IndexFlatIP,
    "ivf": library.IndexIVFFlat,
    "hnsw": library.IndexHNSW,
}


class FaissIndexHeader(IndexHeader, frozen=True, tag="faiss"):
    """What kind of index follows in FAISS's own format, and how it is to be searched."""

    kind: FaissKind
    rows: int
    dim: int
    effort: int
    recall: float
    longest: float


class FaissVectorIndex:
    """A FAISS index behind the port; `kind` and `recall` tell what it became.

    `effort` is how many lists `ivf` probes, or the breadth of `hnsw`'s queue; without it `build` takes the
    least that finds `least_recall` of the true best ten on a sample of questions. `auto` compares all rows
    where there are few or no effort is enough. With one thread the same rows give the same index.
    """

    def __init__(
        self,
        kind: Choice = "auto",
        *,
        effort: int | None = None,
        least_recall: float = LEAST_RECALL,
        threads: int = 1,
    ) -> None:
        self._choice: Choice = kind
        self._effort = effort
        self._least_recall = least_recall
        self._threads = threads
        self._now = FaissSearch(Built("flat", library.IndexFlatIP(1), 0, 1.0), LabelTable(), 0.0)

    @property
    def kind(self) -> FaissKind:
        """What was built: `flat`, `ivf` or `hnsw`."""
        return self._now.built.kind

    @property
    def effort(self) -> int:
        """How many lists are probed, or the breadth of the queue; 0 where all rows are compared."""
        return self._now.built.effort

    @property
    def recall(self) -> float:
        """The share of the true best ten found when it was built, on a sample; 1.0 where all are compared."""
        return self._now.built.recall

    def build(self, vectors: Floats, labels: Sequence[Labels] | None = None) -> None:
        """Train where the kind needs it, add the rows, measure. See `VectorIndex`."""
        rows = checked_rows(vectors, labels)
        if rows.shape[1] == 0:
            rows = np.empty((0, 1), np.float32)
        made = built(
            self._choice,
            rows,
            effort=self._effort,
            least_recall=self._least_recall,
            threads=self._threads,
        )
        self._now = FaissSearch(made, LabelTable(labels), longest(rows))

    def search(
        self,
        queries: Floats,
        k: int,
        allowed: Mask | None = None,
        *,
        filters: Values | None = None,
        exclude: Values | None = None,
    ) -> tuple[Ordinals, Floats]:
        """Search among the allowed rows. See `VectorIndex`."""
        now = self._now
        n = now.index.ntotal
        asked = checked_question(queries, k, allowed, rows=n, dim=now.index.d)
        mask = now.labels.mask(n, allowed, filters, exclude)
        count = n if mask is None else int(np.count_nonzero(mask))
        wanted = min(k, count)
        ordinals = np.full((len(asked), k), -1, np.int64)
        scores = np.full((len(asked), k), -np.inf, np.float32)
        if wanted and len(asked):
            found = now.found(asked, wanted, mask, count)
            scores[:, :wanted], ordinals[:, :wanted] = found
        return best_first(ordinals, scores)

    def rows(self, ordinals: Ordinals) -> Floats:
        """Return rows. See `VectorIndex`."""
        return self._now.rows(checked_ordinals(ordinals, self._now.index.ntotal))

    def save(self, path: Path) -> None:
        """Write the index in FAISS's format behind a verified header. See `VectorIndex`."""
        now = self._now
        header = FaissIndexHeader(
            kind=now.built.kind,
            rows=now.index.ntotal,
            dim=now.index.d,
            effort=now.built.effort,
            recall=now.built.recall,
            longest=now.longest,
        )
        write_index(path, header, library.serialize_index(now.index), now.labels.dump())

    def load(self, path: Path) -> None:
        """Map what `save` wrote; nothing reaches FAISS before its hash was checked. See `VectorIndex`."""
        header, content, labels = read_index(path, FaissIndexHeader)
        if min(header.rows, header.dim) < 0 or header.rows * header.dim * 4 > len(content):
            raise _unreadable(path, "it is too short for its rows")
        try:
            reader = library.ZeroCopyIOReader(library.swig_ptr(content), len(content))
            index = library.read_index(reader)
            known = LabelTable.parse(labels.data, header.rows)
        except (RuntimeError, MemoryError, ValueError, msgspec.DecodeError) as error:
            raise _unreadable(path, str(error)) from error
        if not isinstance(index, _KINDS[header.kind]) or (index.ntotal, index.d) != (header.rows, header.dim):
            raise _unreadable(path, "it is not what its first line says")
        made = Built(header.kind, index, header.effort, header.recall)
        self._now = FaissSearch(made, known, header.longest, mapped=content)


def _unreadable(path: Path, reason: str) -> CorruptArtifactError:
    return CorruptArtifactError(
        f"the index file {path.name!r} cannot be read by FAISS ({reason}); build it again", field=path.name
    )
