"""The catalog in memory."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from threading import Lock

from foretaste.adapters.memory.id_map import MemoryIdMap
from foretaste.domain.clock import MICROS_PER_DAY, Clock, system_clock
from foretaste.domain.errors import NotFoundError
from foretaste.domain.item import CatalogEntry, Item

RETENTION_DAYS = 90.0


class MemoryCatalog:
    """`Catalog` and `CatalogPast` that end with the process; ordinals are those of `id_map`.

    What was replaced `retention_days` ago, by `clock` (microseconds UTC), is forgotten.
    """

    def __init__(
        self,
        id_map: MemoryIdMap | None = None,
        *,
        retention_days: float = RETENTION_DAYS,
        clock: Clock = system_clock,
    ) -> None:
        self._id_map = id_map if id_map is not None else MemoryIdMap()
        self._lock = Lock()
        self._entries: dict[str, CatalogEntry] = {}
        self._version = 0
        self._retention = round(retention_days * MICROS_PER_DAY)
        self._clock = clock
        self._replaced: list[tuple[int, int, CatalogEntry]] = []
        self._written: list[int] = []
        self._first_known = 0

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

    def at(self, version: int) -> list[CatalogEntry]:
        """Return every entry as it was at `version`, by (version, ordinal)."""
        with self._lock:
            if not self._first_known <= version <= self._version:
                raise NotFoundError(
                    f"catalog version {version} is not kept; there are {self._first_known} to {self._version}"
                )
            was = [entry for entry in self._entries.values() if entry.version <= version]
            was += [entry for until, _, entry in self._replaced if entry.version <= version < until]
        return sorted(was, key=lambda entry: (entry.version, entry.ordinal))

    def version_at(self, time: int) -> int:
        """Return the version that was the present one at `time` (microseconds), 0 before the first."""
        with self._lock:
            return bisect_right(self._written, time)

    def _write(self, wanted: Mapping[str, Item | None]) -> int:
        with self._lock:
            changed = {key: item for key, item in wanted.items() if self._differs(key, item)}
            if changed:
                now = self._clock()
                self._version += 1
                self._written.append(max([now, *self._written[-1:]]))
                ordinals = self._id_map.assign("item", list(changed)).tolist()
                for (item_id, item), ordinal in zip(changed.items(), ordinals, strict=True):
                    if item_id in self._entries:
                        self._replaced.append((self._version, now, self._entries[item_id]))
                    self._entries[item_id] = CatalogEntry(ordinal=ordinal, version=self._version, item=item)
                self._forget(now - self._retention)
            return self._version

    def _forget(self, before: int) -> None:
        """Drop what was replaced before that time; versions that need it are known no more."""
        gone = [until for until, moment, _ in self._replaced if moment < before]
        self._first_known = max([self._first_known, *gone])
        self._replaced = self._replaced[len(gone) :]

    def _differs(self, item_id: str, item: Item | None) -> bool:
        """Return whether an item is another than is there; one known from events is there too."""
        entry = self._entries.get(item_id)
        if entry is None:
            return item is not None or bool(self._id_map.find("item", [item_id])[0] >= 0)
        return item != entry.item
