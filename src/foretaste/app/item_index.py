"""Items by likeness, in an index that answers many questions at once and is kept on disk or by a server."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import numpy as np

from foretaste.adapters.index_file import IndexHeader, digest_of, read_index, write_index
from foretaste.adapters.index_identity import build_of
from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.app.home import Home
from foretaste.app.item_labels import labels_of, spelled
from foretaste.app.recommender import Recommender
from foretaste.app.settings import Settings
from foretaste.app.settings_loading import load_settings
from foretaste.app.vector_indexes import OpenIndex, load_index, open_index
from foretaste.domain.arrays import Floats, Mask
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import (
    CorruptArtifactError,
    InvalidQueryError,
    NoModelError,
    UnknownItemError,
    UnknownModelError,
)
from foretaste.ports.vector_index import Labels, Values
from foretaste.retrieval.masks import passing

INDEX, ITEMS = "index", "items"


class ItemsHeader(IndexHeader, frozen=True, tag="items"):
    """Which index the ids that follow belong to, and what it was made of."""

    index_sha256: str
    made_of: str
    kind: str
    model: str


class ItemIndex:
    """The items that a trained model has vectors for, as of one moment, searched by cosine.

    >>> index = ft.ItemIndex.of(rec, kind="hnsw")
    >>> index.nearest(["242", "50"], k=5, filters={"category": ["Drama"]})
    """

    def __init__(
        self, opened: OpenIndex, item_ids: Sequence[str], *, made_of: str, kind: str, model: str
    ) -> None:
        self._opened = opened
        self._index = opened.index
        self._ids = tuple(item_ids)
        self._place = {item_id: place for place, item_id in enumerate(self._ids)}
        self._made_of = made_of
        self._kind = kind
        self._model = model

    @classmethod
    def of(cls, rec: Recommender, *, kind: str | None = None, model: str = "ials") -> Self:
        """Index the items of `rec` by the vectors of one of its models, with their categories and attributes.

        `kind` is `flat` (exact), `ivf` or `hnsw` (approximate, for large catalogs), `auto` (chosen by size,
        with measured recall), `pgvector`, or the URL of a Qdrant server; by default it is the setting
        `vector_index`. A server that has this very index already is not sent it again.

        Raises `NoModelError` where nothing is trained, `UnknownModelError` for a model that is not there or
        has no vectors, `MissingExtraError` and `UnavailableError` where the index's driver or server is
        missing.
        """
        made = _Made.of(rec.home, model)
        return cls._built(rec, made, rec.home.settings.vector_index if kind is None else kind, model)

    def __len__(self) -> int:
        """How many items there are."""
        return len(self._ids)

    def refreshed(self, rec: Recommender) -> Self:
        """Return an index of `rec` as it is now: this one if no vector or label changed, else a new one.

        Ask for it after a training and after changes of the catalog; this index stays as it is.
        """
        made = _Made.of(rec.home, self._model)
        return self if made.digest == self._made_of else self._built(rec, made, self._kind, self._model)

    def nearest(
        self,
        item_ids: Sequence[str],
        k: int = 10,
        *,
        filters: Values | None = None,
        exclude: Values | None = None,
        rec: Recommender | None = None,
    ) -> list[list[tuple[str, float]]]:
        """Return for each of `item_ids` the `k` most alike other items with their cosine, best first.

        `filters` and `exclude` map `category` or an attribute to values allowed or forbidden. With `rec` they
        and what may be shown at all (neither deleted, hidden nor sold out) are those of its catalog now;
        without it they are as they were when the index was built, and everything may be shown.

        Raises `UnknownItemError` for an item that the index does not have, `InvalidQueryError` for k < 1.
        """
        if k < 1:
            raise InvalidQueryError(f"k must be at least 1, not {k}", field="k")
        unknown = next((item_id for item_id in item_ids if item_id not in self._place), None)
        if unknown is not None:
            raise UnknownItemError(f"the index has no item {unknown!r}", field="item_ids")
        places = np.array([self._place[item_id] for item_id in item_ids], np.int32)
        queries = self._index.rows(places)
        wanted, unwanted = spelled(filters), spelled(exclude)
        if rec is None:
            found, cosine = self._index.search(queries, k + 1, filters=wanted, exclude=unwanted)
        else:
            found, cosine = self._index.search(queries, k + 1, self._shown(rec.home, wanted, unwanted))
        return [
            [
                (self._ids[other], float(value))
                for other, value in zip(others, values, strict=True)
                if other >= 0 and other != place
            ][:k]
            for place, others, values in zip(places, found, cosine, strict=True)
        ]

    def save(self, folder: str | Path) -> None:
        """Write the index to a folder, made if absent; where a server keeps it, only which one it is."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        self._index.save(target / INDEX)
        header = ItemsHeader(
            index_sha256=digest_of(target / INDEX),
            made_of=self._made_of,
            kind=self._kind.partition("://")[0],
            model=self._model,
        )
        write_index(target / ITEMS, header, msgspec.json.encode(self._ids))

    @classmethod
    def load(cls, folder: str | Path, *, settings: Settings | None = None) -> Self:
        """Return the index that `save` wrote, mapped from disk; `CorruptArtifactError` if it is damaged.

        An index that a server keeps needs the settings that name the server: those of the environment, unless
        given.
        """
        path = Path(folder) / ITEMS
        header, content, _ = read_index(path, ItemsHeader)
        if digest_of(Path(folder) / INDEX) != header.index_sha256:
            raise CorruptArtifactError(f"{path} belongs to another index; save the index again")
        chosen = load_settings() if settings is None else settings
        opened = load_index(Path(folder) / INDEX, chosen, MemoryTelemetry())
        ids = msgspec.json.decode(content.tobytes(), type=tuple[str, ...])
        kind = chosen.vector_index if "://" in chosen.vector_index else header.kind
        return cls(opened, ids, made_of=header.made_of, kind=kind, model=header.model)

    def close(self) -> None:
        """Release the connections to a server; an index in this process needs no closing."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @classmethod
    def _built(cls, rec: Recommender, made: "_Made", kind: str, model: str) -> Self:
        opened = open_index(kind, rec.home.settings, rec.home.telemetry, f"items_{model}")
        try:
            opened.index.build(made.vectors, made.labels)
        except BaseException:
            opened.close()
            raise
        return cls(opened, made.ids, made_of=made.digest, kind=kind, model=model)

    def _shown(self, home: Home, filters: Values, exclude: Values) -> Mask:
        """Return which of our items may be shown now and pass, bool [len(self)]."""
        ordinals = home.id_map.find("item", self._ids)
        n_items = 1 + int(ordinals.max(initial=-1))
        catalog = home.catalog_columns
        shown = catalog.available(system_clock(), n_items)
        passed = passing(catalog, n_items, filters, exclude)
        able = shown if passed is None else shown & passed
        known = ordinals >= 0
        mask = np.zeros(len(ordinals), np.bool_)
        mask[known] = able[ordinals[known]]
        return mask


class _Made(msgspec.Struct, frozen=True):
    """What an index is made of: unit vectors of the items that a model knows, their ids and labels."""

    vectors: Floats
    ids: list[str]
    labels: list[Labels]
    digest: str

    @classmethod
    def of(cls, home: Home, model: str) -> "_Made":
        """Return it as of now; raise `NoModelError` and `UnknownModelError`."""
        if home.artifact is None:
            raise NoModelError("nothing is trained yet: train first", field="model")
        models = home.artifact.models
        names = home.id_map.names("item")
        every = np.arange(len(names), dtype=np.int32)
        vectors = models[model].vectors(every) if model in models else None
        if vectors is None:
            raise UnknownModelError(
                f"no model {model!r} with vectors; there are {', '.join(models)}", field="model"
            )
        known = np.flatnonzero(vectors.any(axis=1))
        rows, ids = np.ascontiguousarray(vectors[known]), [names[ordinal] for ordinal in known]
        labels = [labels_of(home.catalog_columns.item(ordinal)) for ordinal in known.tolist()]
        digest = hashlib.sha256(msgspec.json.encode([build_of(rows, labels), ids])).hexdigest()
        return cls(rows, ids, labels, digest)
