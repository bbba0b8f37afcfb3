"""Vector indexes in Qdrant: HNSW that knows about filters."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from qdrant_client import models

from foretaste.adapters.index_file import ServerIndexHeader, corrupt_index, read_index, write_index
from foretaste.adapters.index_identity import build_of, name_of
from foretaste.adapters.index_input import best_first, checked_ordinals, checked_question, checked_rows
from foretaste.adapters.index_recall import BEST, LEAST_RECALL, least_effort
from foretaste.adapters.qdrant.collection import QdrantCollection, chosen
from foretaste.adapters.qdrant.server import QdrantServer
from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.errors import UnavailableError
from foretaste.ports.vector_index import Labels, Values

LEAST_BREADTH, MOST_BREADTH = 64, 1024
EXACT = 0


class QdrantHeader(ServerIndexHeader, frozen=True, tag="qdrant"):
    """A build in the collections of a namespace."""

    namespace: str


class QdrantVectorIndex:
    """One index in a Qdrant server, called `name`; `recall` tells what was measured when it was built.

    Each build is a collection of its own that is never changed, named by its content: another process that
    builds the same finds it there. The alias `ft_<namespace>_<name>` points to the last whole build; the one
    before is kept. Raises `UnavailableError` where the server does not answer in time.
    """

    def __init__(
        self,
        server: QdrantServer,
        namespace: str,
        name: str = "items",
        *,
        breadth: int | None = None,
        least_recall: float = LEAST_RECALL,
    ) -> None:
        self._server = server
        self._namespace = namespace
        self._name = name_of(name)
        self._breadth = breadth
        self._least_recall = least_recall
        self._collection: QdrantCollection | None = None
        self._effort, self.recall = LEAST_BREADTH, 1.0

    @property
    def effort(self) -> int:
        """The breadth of the queue in a search."""
        return self._effort

    def build(self, vectors: Floats, labels: Sequence[Labels] | None = None) -> None:
        """Send the rows, wait until they are linked, measure, publish. See `VectorIndex`."""
        rows = checked_rows(vectors, labels)
        collection = self._called(build_of(rows, labels), len(rows), max(1, rows.shape[1]))
        if not collection.is_there(self._server):
            collection.fill(self._server, rows, labels)

        def ask(questions: Floats, breadth: int) -> Int64s:
            return self._found(collection, questions, min(BEST, len(rows)), None, breadth)[0]

        self._effort, self.recall = least_effort(
            ask,
            rows,
            first=LEAST_BREADTH,
            most=MOST_BREADTH,
            effort=self._breadth,
            least=self._least_recall,
        )
        collection.publish(self._server)
        self._collection = collection

    def search(
        self,
        queries: Floats,
        k: int,
        allowed: Mask | None = None,
        *,
        filters: Values | None = None,
        exclude: Values | None = None,
    ) -> tuple[Ordinals, Floats]:
        """Ask the server, queries in batches. See `VectorIndex`.

        Where fewer came than might be there, those queries are asked again of all points.
        """
        there = self._collection
        n, dim = (0, 0) if there is None else (there.rows, there.dim)
        asked = checked_question(queries, k, allowed, rows=n, dim=dim)
        condition = chosen(allowed, filters, exclude)
        impossible = any(not values for values in (filters or {}).values())
        wanted = 0 if impossible else min(k, n if allowed is None else int(np.count_nonzero(allowed)))
        ordinals = np.full((len(asked), k), -1, np.int64)
        scores = np.full((len(asked), k), -np.inf, np.float32)
        if wanted and there is not None:
            found = self._found(there, asked, wanted, condition, max(self._effort, wanted))
            ordinals[:, :wanted], scores[:, :wanted] = found
            short = np.flatnonzero((ordinals[:, :wanted] < 0).any(axis=1))
            if len(short):
                found = self._found(there, asked[short], wanted, condition, EXACT)
                ordinals[short, :wanted], scores[short, :wanted] = found
        return best_first(ordinals, scores)

    def rows(self, ordinals: Ordinals) -> Floats:
        """Return rows. See `VectorIndex`."""
        there = self._collection
        wanted = checked_ordinals(ordinals, 0 if there is None else there.rows)
        if there is None or not len(wanted):
            return np.empty((0, 0 if there is None else there.dim), np.float32)
        different, places = np.unique(wanted, return_inverse=True)
        found: Floats = there.vectors(self._server, different.tolist())[places]
        return found

    def save(self, path: Path) -> None:
        """Write which build this is; the points stay at the server. See `VectorIndex`."""
        there = self._collection
        if there is None:
            raise UnavailableError("an index that was never built cannot be saved", field="vector_index")
        header = QdrantHeader(
            namespace=there.namespace,
            name=there.name,
            build=there.build,
            rows=there.rows,
            dim=there.dim,
            effort=self._effort,
            recall=self.recall,
        )
        write_index(path, header, b"")

    def load(self, path: Path) -> None:
        """Take the build that was saved, if the server still has all of it. See `VectorIndex`."""
        header, _, _ = read_index(path, QdrantHeader)
        if header.namespace != self._namespace:
            raise corrupt_index(path, f"is of the namespace {header.namespace!r}, not of {self._namespace!r}")
        there = QdrantCollection(header.namespace, header.name, header.build, header.rows, header.dim)
        if not there.is_there(self._server):
            raise corrupt_index(path, f"names a build that {self._server.where} does not have any more")
        self._collection, self._name = there, header.name
        self._effort, self.recall = header.effort, header.recall

    def _called(self, build: str, rows: int, dim: int) -> QdrantCollection:
        return QdrantCollection(self._namespace, self._name, build, rows, dim)

    def _found(
        self,
        collection: QdrantCollection,
        queries: Floats,
        limit: int,
        condition: models.Filter | None,
        breadth: int,
    ) -> tuple[Int64s, Floats]:
        ordinals = np.full((len(queries), limit), -1, np.int64)
        scores = np.full((len(queries), limit), -np.inf, np.float32)
        answers = collection.nearest(self._server, queries, limit, condition, breadth)
        for place, points in enumerate(answers):
            ordinals[place, : len(points)] = [point.id for point in points]
            scores[place, : len(points)] = [point.score for point in points]
        return ordinals, scores
