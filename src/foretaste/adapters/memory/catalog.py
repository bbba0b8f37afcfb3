"""The catalog in memory."""

from collections.abc import Mapping, Sequence
from threading import Lock

from foretaste.adapters.memory.id_map import MemoryIdMap
from foretaste.domain.item import CatalogEntry, Item


class MemoryCatalog:
    """`Catalog` that ends with the process; ordinals are those of `id_map`."""

    def __init__(self, id_map: MemoryIdMap | None = None) -> None:
        self._id_map = id_map if id_map is not None else MemoryIdMap()
        self._lock = Lock()
        self._entries: dict[str, CatalogEntry] = {}
        self._version = 0

    def put(self, items: Sequence[Item]) -> int:
        """Insert or replace items (the last of equal ids wins); return the catalog version."""
        return self._write({item.item_id: item for item in items})

    def delete(self, item_ids: Sequence[str]) -> int:
        """Delete items; return the catalog version."""
        return self._write(dict.fromkeys(item_ids))

    def get(self, item_ids: Sequence[str]) -> list[CatalogEntry | None]:
        """Return the entries of `item_ids`, None where there never was one or it is deleted."""
        with self._lock:
            found = [self._entries.get(item_id) for item_id in item_ids]
        return [entry if entry and entry.item else None for entry in found]

    def changes(self, after: int) -> list[CatalogEntry]:
        """Return every entry whose version is above `after`, by (version, ordinal)."""
        with self._lock:
            changed = [entry for entry in self._entries.values() if entry.version > after]
        return sorted(changed, key=lambda entry: (entry.version, entry.ordinal))

    def version(self) -> int:
        """Return the present version, 0 for a catalog that was never written."""
        return self._version

    def _write(self, wanted: Mapping[str, Item | None]) -> int:
        with self._lock:
            changed = {key: item for key, item in wanted.items() if item != self._present(key)}
            if changed:
                self._version += 1
                ordinals = self._id_map.assign("item", list(changed)).tolist()
                for (item_id, item), ordinal in zip(changed.items(), ordinals, strict=True):
                    self._entries[item_id] = CatalogEntry(ordinal=ordinal, version=self._version, item=item)
            return self._version

    def _present(self, item_id: str) -> Item | None:
        entry = self._entries.get(item_id)
        return entry.item if entry else None
