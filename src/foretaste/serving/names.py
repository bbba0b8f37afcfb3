"""Ids as clients write them, resolved to ordinals; and back."""

from collections.abc import Sequence
from threading import Lock

import numpy as np

from foretaste.domain.arrays import Ordinals
from foretaste.ports.id_map import IdKind, IdMap

_LONGEST_INDEX = 8
"""Digits of the largest dense index that is understood; longer numbers are ids."""


class Names:
    """The id map as serving reads it: names by ordinal without a copy, and the dense index as a second id.

    A number that is no id is taken as the dense index (`user_idx`, `item_idx`), unless there are ids that are
    such numbers themselves: then it is somebody new, and must not be answered as somebody else. Digits with
    zeros in front are never an index, and ids too long to be one (`0108775015`) keep no others from being it.
    """

    def __init__(self, id_map: IdMap) -> None:
        self._id_map = id_map
        self._names: dict[IdKind, list[str]] = {"user": [], "item": [], "type": []}
        self._numbers: dict[IdKind, bool] = {"user": False, "item": False, "type": False}
        self._reading = Lock()

    def of(self, kind: IdKind) -> Sequence[str]:
        """Return all names by ordinal; never changed but at its end."""
        names = self._names[kind]
        if not self._id_map.names(kind, len(names)):
            return names
        with self._reading:
            added = self._id_map.names(kind, len(names))
            self._numbers[kind] = self._numbers[kind] or any(map(_is_like_an_index, added))
            names.extend(added)
        return names

    def name(self, kind: IdKind, ordinal: int) -> str:
        """Return the name of an ordinal that was given."""
        names = self._names[kind]
        return names[ordinal] if ordinal < len(names) else self.of(kind)[ordinal]

    def ordinal(self, kind: IdKind, written: str) -> int:
        """Return the ordinal of an id or of a dense index, -1 if it is neither."""
        found = self._id_map.ordinal(kind, written)
        if found >= 0 or not _is_like_an_index(written) or str(int(written)) != written:
            return found
        index, names = int(written), self.of(kind)
        return index if index < len(names) and not self._numbers[kind] else -1

    def ordinals(self, kind: IdKind, written: Sequence[str]) -> Ordinals:
        """Return the ordinals of ids or dense indexes, int32, -1 where unknown."""
        found = self._id_map.find(kind, written)
        if (found < 0).any():
            return np.array([self.ordinal(kind, name) for name in written], np.int32)
        return found

    def known(self, kind: IdKind, written: Sequence[str]) -> tuple[int, ...]:
        """Return the ordinals of those ids or dense indexes that there are."""
        if not written:
            return ()
        ordinals = [self.ordinal(kind, name) for name in written]
        return tuple([ordinal for ordinal in ordinals if ordinal >= 0])


def _is_like_an_index(written: str) -> bool:
    """Return whether a text is a number, with zeros in front or not, that an index may be as well."""
    return written.isascii() and written.isdigit() and len(written.lstrip("0")) <= _LONGEST_INDEX
