"""One build of an index as a Qdrant collection: how it is filled and asked."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from foretaste.adapters.index_identity import asked, written
from foretaste.adapters.qdrant.server import QdrantServer
from foretaste.domain.arrays import Floats, Mask
from foretaste.domain.errors import UnavailableError
from foretaste.ports.vector_index import Labels, Values

SEARCHED, RETRIEVED = "qdrant_search_duration_seconds", "qdrant_retrieve_duration_seconds"
LABEL = "label"
"""The payload of a point: its labels, `category=Drama` each, in one indexed list."""
POINTS_AT_ONCE, NUMBERS_AT_ONCE = 1_000, 250_000
"""A request to write has no more points and no more numbers than these: some megabytes."""
QUERIES_AT_ONCE, NAMED_AT_ONCE = 100, 500_000
"""A request to search has no more queries, and names no more ordinals in their filters, than these."""
GREEN_SECONDS = 3600.0
POLL_SECONDS = 0.1
CONFLICT = 409


def published_names(server: QdrantServer, namespace: str) -> list[str]:
    """Return the names of the indexes of a namespace that are there."""
    prefix = _alias(namespace, "")
    aliases = server.ask(lambda client: client.get_aliases().aliases)
    called = [one.alias_name for one in aliases]
    return sorted(name.removeprefix(prefix) for name in called if name.startswith(prefix))


@dataclass(frozen=True, slots=True)
class QdrantCollection:
    """A build of `rows` points with `dim` numbers each, the ordinal as id; never changed once it is whole."""

    namespace: str
    name: str
    build: str
    rows: int
    dim: int

    @property
    def alias(self) -> str:
        """What the last build of the name is called."""
        return _alias(self.namespace, self.name)

    @property
    def collection(self) -> str:
        """What this build is called."""
        return f"{self.alias}_{self.build}"

    def is_there(self, server: QdrantServer) -> bool:
        """Return whether all points are there."""

        def count(client: QdrantClient) -> int:
            if not client.collection_exists(self.collection):
                return -1
            return client.count(self.collection, exact=True).count

        return server.build(count) == self.rows

    def fill(self, server: QdrantServer, rows: Floats, labels: Sequence[Labels] | None) -> None:
        """Make the collection of `rows`, and wait until the server has linked them; harmless to repeat."""
        server.build(self._create)
        at_once = max(1, min(POINTS_AT_ONCE, NUMBERS_AT_ONCE // self.dim))
        for start in range(0, len(rows), at_once):
            stop = min(start + at_once, len(rows))
            known = [{}] * (stop - start) if labels is None else labels[start:stop]
            batch = models.Batch(
                ids=list(range(start, stop)),
                vectors=rows[start:stop].tolist(),
                payloads=[{LABEL: written(own)} for own in known],
            )
            server.build(partial(self._write, batch))
        self._wait(server)

    def publish(self, server: QdrantServer) -> None:
        """Point the alias here, and delete all builds of the name but this and the one before."""
        before = self._published(server)
        if before != self.collection:
            created = models.CreateAlias(collection_name=self.collection, alias_name=self.alias)
            switch: list[models.AliasOperations] = [models.CreateAliasOperation(create_alias=created)]
            if before is not None:
                deleted = models.DeleteAlias(alias_name=self.alias)
                switch.insert(0, models.DeleteAliasOperation(delete_alias=deleted))
            server.build(lambda client: client.update_collection_aliases(switch))
            self._forget_others(server, {self.collection, before})

    def nearest(
        self, server: QdrantServer, queries: Floats, limit: int, chosen: models.Filter | None, breadth: int
    ) -> list[list[models.ScoredPoint]]:
        """Return for each query the best `limit` points; a `breadth` of 0 compares all."""
        effort = models.SearchParams(exact=True) if breadth == 0 else models.SearchParams(hnsw_ef=breadth)
        found: list[list[models.ScoredPoint]] = []
        at_once = max(1, min(QUERIES_AT_ONCE, NAMED_AT_ONCE // max(1, _named(chosen))))
        for start in range(0, len(queries), at_once):
            batch = [
                models.QueryRequest(query=query, limit=limit, filter=chosen, params=effort)
                for query in queries[start : start + at_once].tolist()
            ]
            found += server.ask(partial(self._read, batch), measured=SEARCHED)
        return found

    def vectors(self, server: QdrantServer, ordinals: Sequence[int]) -> Floats:
        """Return the vectors of `ordinals`, all different: float32 [len(ordinals), dim]."""
        records = server.ask(
            lambda client: client.retrieve(
                self.collection, list(ordinals), with_vectors=True, with_payload=False
            ),
            measured=RETRIEVED,
        )
        known = {record.id: record.vector for record in records}
        return np.array([known[ordinal] for ordinal in ordinals], np.float32)

    def _create(self, client: QdrantClient) -> None:
        if client.collection_exists(self.collection):
            return
        vectors = models.VectorParams(size=self.dim, distance=models.Distance.DOT)
        try:
            client.create_collection(self.collection, vectors_config=vectors)
        except UnexpectedResponse as error:
            if error.status_code != CONFLICT:  # another process makes the same
                raise
        client.create_payload_index(self.collection, LABEL, models.PayloadSchemaType.KEYWORD, wait=True)

    def _write(self, batch: models.Batch, client: QdrantClient) -> None:
        client.upsert(self.collection, points=batch, wait=True)

    def _read(
        self, batch: Sequence[models.QueryRequest], client: QdrantClient
    ) -> list[list[models.ScoredPoint]]:
        return [answer.points for answer in client.query_batch_points(self.collection, batch)]

    def _wait(self, server: QdrantServer) -> None:
        deadline = time.monotonic() + GREEN_SECONDS
        while True:
            status = server.ask(lambda client: client.get_collection(self.collection).status)
            if status == models.CollectionStatus.GREEN:
                return
            if status == models.CollectionStatus.RED or time.monotonic() > deadline:
                raise UnavailableError(
                    f"{server.where} cannot finish the index (it is {status}): see its log",
                    field="vector_index",
                )
            time.sleep(POLL_SECONDS)

    def _published(self, server: QdrantServer) -> str | None:
        """Return the collection that the alias points to."""
        aliases = server.ask(lambda client: client.get_aliases().aliases)
        return next((each.collection_name for each in aliases if each.alias_name == self.alias), None)

    def _forget_others(self, server: QdrantServer, kept: set[str | None]) -> None:
        build = re.compile(re.escape(self.alias) + "_[0-9a-f]{16}")
        there = server.ask(lambda client: client.get_collections().collections)
        for name in [each.name for each in there if build.fullmatch(each.name) and each.name not in kept]:
            server.build(partial(QdrantClient.delete_collection, collection_name=name))


def chosen(allowed: Mask | None, filters: Values | None, exclude: Values | None) -> models.Filter | None:
    """Return the filter for the server: of allowed and forbidden ordinals the fewer are named."""
    must: list[models.Condition] = [_any_of(labels) for labels in asked(filters)]
    must_not: list[models.Condition] = [_any_of(labels) for labels in asked(exclude) if labels]
    if allowed is not None and not allowed.all():
        few = 2 * int(np.count_nonzero(allowed)) <= len(allowed)
        ids: list[models.ExtendedPointId] = [*np.flatnonzero(allowed if few else ~allowed).tolist()]
        named = models.HasIdCondition(has_id=ids)
        (must if few else must_not).append(named)
    return models.Filter(must=must, must_not=must_not) if must or must_not else None


def _named(condition: models.Filter | None) -> int:
    """Return how many ordinals a filter names."""
    if condition is None:
        return 0
    parts = [*(condition.must or ()), *(condition.must_not or ())]
    return sum(len(part.has_id) for part in parts if isinstance(part, models.HasIdCondition))


def _any_of(labels: list[str]) -> models.FieldCondition:
    return models.FieldCondition(key=LABEL, match=models.MatchAny(any=labels))


def _alias(namespace: str, name: str) -> str:
    return f"ft_{namespace}_{name}"
