"""Vectors that a text model makes of what items say, kept by text so that none is computed twice."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from foretaste.adapters.files.snapshot_file import read_snapshot, write_snapshot
from foretaste.domain.errors import CorruptSnapshotError
from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.item_vectors import usual_dim
from foretaste.models.content_index import digest_of
from foretaste.ports.text_encoder import TextEncoder

BATCH = 256
"""Texts encoded between two reports of progress."""
Advance = Callable[[float], object]
_log = logging.getLogger(__name__)


def text_of(item: Item) -> str:
    """Return what a text model reads of an item: title, categories and text; empty where there is nothing."""
    return ". ".join(part for part in (item.title, ", ".join(item.categories), item.text) if part)


class TextVectors:
    """Gives items without a vector the one of their text; `folder` keeps them (None: nowhere).

    Where the owner's vectors have another dimension than the encoder's, it is left alone.
    """

    def __init__(self, encoder: TextEncoder, folder: Path | None = None) -> None:
        self._encoder = encoder
        self._path = None if folder is None else folder / f"text-vectors-{encoder.digest}.safetensors"
        self._known: dict[int, bytes] = {}
        self._saved = 0
        self._load()

    def filled(
        self, columns: CatalogColumns, *, encode: bool, advance: Advance = lambda _share: None
    ) -> CatalogColumns:
        """Return `columns` with items that have vectors: the known ones, or with `encode` all.

        Encoding takes about ten milliseconds an item.
        """
        places = [ordinal for ordinal, item in enumerate(columns.items) if item is not None and _wants(item)]
        if not places or not self._fits(columns.items):
            return columns
        wanted = [item for ordinal in places if (item := columns.items[ordinal]) is not None]
        digests = [digest_of(item) for item in wanted]
        if encode:
            self._learn(wanted, digests, advance)
        items = list(columns.items)
        for ordinal, item, digest in zip(places, wanted, digests, strict=True):
            vector = self._known.get(digest)
            if vector is not None:
                items[ordinal] = msgspec.structs.replace(item, vector=vector)
        return replace(columns, items=items)

    def save(self) -> None:
        """Write what is known to the folder; a full disk is no error."""
        if self._path is None or len(self._known) == self._saved:
            return
        digest = np.fromiter(self._known, np.int64, len(self._known))
        vector = np.frombuffer(b"".join(self._known.values()), np.float32).reshape(len(digest), -1)
        try:
            write_snapshot(self._path, {"digest": digest, "vector": vector}, seq=len(digest), key=0)
        except OSError as error:
            _log.warning("vectors of texts could not be written and will be computed again: %s", error)
            return
        self._saved = len(self._known)

    def _learn(self, items: Sequence[Item], digests: Sequence[int], advance: Advance) -> None:
        new = {digest: item for item, digest in zip(items, digests, strict=True) if digest not in self._known}
        texts = [text_of(item) for item in new.values()]
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        keys = list(new)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            rows = self._encoder.encode([texts[place] for place in places]).astype("<f4")
            for place, row in zip(places, rows, strict=True):
                self._known[keys[place]] = row.tobytes()
            advance(min(1.0, (start + BATCH) / len(order)))

    def _fits(self, items: Sequence[Item | None]) -> bool:
        dim = usual_dim(items)
        if dim in {0, self._encoder.dim}:
            return True
        _log.warning(
            "items have vectors of %d numbers, the text model makes %d: it is not used",
            dim,
            self._encoder.dim,
        )
        return False

    def _load(self) -> None:
        if self._path is None or not self._path.is_file():
            return
        try:
            arrays, _, _ = read_snapshot(self._path)
            digest, vector = arrays["digest"], arrays["vector"]
        except (CorruptSnapshotError, KeyError) as error:
            _log.warning("%s is ignored, vectors of texts are computed again: %s", self._path.name, error)
            return
        if vector.shape == (len(digest), self._encoder.dim):
            rows = vector.astype("<f4")
            self._known = {key: row.tobytes() for key, row in zip(digest.tolist(), rows, strict=True)}
            self._saved = len(self._known)


def _wants(item: Item) -> bool:
    return not item.vector and bool(item.title or item.text or item.categories)
