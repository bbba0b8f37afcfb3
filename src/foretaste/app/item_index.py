"""Items by likeness, in an index that answers many questions at once and is kept on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec
import numpy as np

from foretaste.adapters.faiss.vector_index import FaissKind, FaissVectorIndex
from foretaste.app.home import Home
from foretaste.app.recommender import Recommender
from foretaste.domain.arrays import Floats
from foretaste.domain.errors import (
    CorruptArtifactError,
    InvalidQueryError,
    NoModelError,
    UnknownItemError,
    UnknownModelError,
)
from foretaste.ports.vector_index import VectorIndex

INDEX, ITEMS = "index", "items.json"


class ItemIndex:
    """The items that a trained model has vectors for, searched by cosine.

    >>> index = ft.ItemIndex.of(rec, kind="hnsw")
    >>> index.nearest(["242", "50"], k=5)
    """

    def __init__(self, index: VectorIndex, vectors: Floats, item_ids: Sequence[str]) -> None:
        self._index = index
        self._vectors = vectors
        self._ids = tuple(item_ids)
        self._place = {item_id: place for place, item_id in enumerate(self._ids)}

    @classmethod
    def of(cls, rec: Recommender, *, kind: FaissKind = "flat", model: str = "ials") -> Self:
        """Index the items of `rec` by the vectors of one of its models.

        `kind` is `flat` (exact), `ivf` or `hnsw` (approximate, for large catalogs). Raises `NoModelError`
        where nothing is trained, `UnknownModelError` for a model that is not there or has no vectors.
        """
        vectors, ids = _known(rec.home, model)
        index = FaissVectorIndex(kind)
        index.build(vectors)
        return cls(index, vectors, ids)

    def __len__(self) -> int:
        """How many items there are."""
        return len(self._ids)

    def nearest(self, item_ids: Sequence[str], k: int = 10) -> list[list[tuple[str, float]]]:
        """Return for each of `item_ids` the `k` most alike other items with their cosine, best first.

        Raises `UnknownItemError` for an item that the index does not have, `InvalidQueryError` for k < 1.
        """
        if k < 1:
            raise InvalidQueryError(f"k must be at least 1, not {k}", field="k")
        unknown = next((item_id for item_id in item_ids if item_id not in self._place), None)
        if unknown is not None:
            raise UnknownItemError(f"the index has no item {unknown!r}", field="item_ids")
        places = [self._place[item_id] for item_id in item_ids]
        found, cosine = self._index.search(self._vectors[places], k + 1)
        return [
            [
                (self._ids[other], float(value))
                for other, value in zip(others, values, strict=True)
                if other >= 0 and other != place
            ][:k]
            for place, others, values in zip(places, found, cosine, strict=True)
        ]

    def save(self, folder: str | Path) -> None:
        """Write the index to a folder, made if absent."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        self._index.save(target / INDEX)
        kept = {"ids": self._ids, "dim": self._vectors.shape[1], "vectors": self._vectors.tobytes()}
        (target / ITEMS).write_bytes(msgspec.json.encode(kept))

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Return the index that `save` wrote; raise `CorruptArtifactError` if it is damaged."""
        path = Path(folder) / ITEMS
        index = FaissVectorIndex()
        index.load(Path(folder) / INDEX)
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=_Items)
            vectors = np.frombuffer(kept.vectors, np.float32).reshape(len(kept.ids), kept.dim)
        except (OSError, ValueError) as error:
            raise CorruptArtifactError(f"{path} is damaged: {error}; save the index again") from error
        return cls(index, vectors, kept.ids)


class _Items(msgspec.Struct, frozen=True):
    ids: tuple[str, ...]
    dim: int
    vectors: bytes


def _known(home: Home, model: str) -> tuple[Floats, list[str]]:
    """Return the unit vectors of the items that the model knows, and their ids."""
    if home.artifact is None:
        raise NoModelError("nothing is trained yet: train first", field="model")
    models = home.artifact.models
    names = home.id_map.names("item")
    vectors = models[model].vectors(np.arange(len(names), dtype=np.int32)) if model in models else None
    if vectors is None:
        raise UnknownModelError(
            f"no model {model!r} with vectors; there are {', '.join(models)}", field="model"
        )
    known = np.flatnonzero(vectors.any(axis=1))
    return np.ascontiguousarray(vectors[known]), [names[ordinal] for ordinal in known]
