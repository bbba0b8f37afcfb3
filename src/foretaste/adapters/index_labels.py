"""The labels of an index's rows in this process: which rows have which value."""

from collections.abc import Sequence

import msgspec
import numpy as np

from foretaste.domain.arrays import Mask, Ordinals
from foretaste.domain.errors import InvalidQueryError
from foretaste.ports.vector_index import Labels, Values


class LabelTable:
    """For every attribute and value the ordinals that have it."""

    def __init__(self, labels: Sequence[Labels] | None = None) -> None:
        having: dict[str, dict[str, list[int]]] = {}
        for ordinal, own in enumerate(labels or ()):
            for attribute, values in own.items():
                for value in values:
                    having.setdefault(attribute, {}).setdefault(value, []).append(ordinal)
        self._having: dict[str, dict[str, Ordinals]] = {
            attribute: {value: np.array(rows, np.int32) for value, rows in values.items()}
            for attribute, values in having.items()
        }

    def mask(
        self, rows: int, allowed: Mask | None, filters: Values | None, exclude: Values | None
    ) -> Mask | None:
        """Return which of `rows` rows are allowed and pass, None where all do."""
        mask = None if allowed is None else np.asarray(allowed, np.bool_)
        for attribute, values in (filters or {}).items():
            having = self._with(rows, attribute, values)
            mask = having if mask is None else mask & having
        for attribute, values in (exclude or {}).items():
            lacking = ~self._with(rows, attribute, values)
            mask = lacking if mask is None else mask & lacking
        return mask

    def dump(self) -> bytes:
        """Return the table as MessagePack."""
        plain = {
            attribute: {value: rows.astype("<i4").tobytes() for value, rows in values.items()}
            for attribute, values in self._having.items()
        }
        return msgspec.msgpack.encode(plain)

    @classmethod
    def parse(cls, content: bytes | memoryview, rows: int) -> "LabelTable":
        """Return what `dump` wrote for `rows` rows; raise `ValueError` if it is not that."""
        plain = msgspec.msgpack.decode(content, type=dict[str, dict[str, bytes]])
        table = cls()
        table._having = {
            attribute: {value: np.frombuffer(part, "<i4").astype(np.int32) for value, part in values.items()}
            for attribute, values in plain.items()
        }
        parts = (part for values in table._having.values() for part in values.values())
        if any(len(part) and not 0 <= part.min() <= part.max() < rows for part in parts):
            raise ValueError("labels of rows that there are not")
        return table

    def _with(self, rows: int, attribute: str, values: Sequence[str]) -> Mask:
        if isinstance(values, str):
            raise InvalidQueryError(f"a filter by {attribute!r} needs a list of values", field=attribute)
        mask = np.zeros(rows, np.bool_)
        known = self._having.get(attribute, {})
        for value in values:
            if value in known:
                mask[known[value]] = True
        return mask
