"""Rows of vectors in the binary form of PostgreSQL's COPY."""

import struct
from collections.abc import Iterator, Sequence

import numpy as np

from foretaste.adapters.index_identity import written
from foretaste.domain.arrays import Floats
from foretaste.ports.vector_index import Labels

BATCH = 8_192
BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
_COLUMNS = 3
_TEXT = 25
"""The type `text`, by its number."""


def copied(rows: Floats, labels: Sequence[Labels] | None) -> Iterator[bytes]:
    """Yield what `COPY (ordinal, embedding, labels) FROM STDIN (FORMAT binary)` takes for `rows`.

    A vector is written as pgvector reads it: its dimension, a zero, the numbers; big-endian throughout.
    """
    count, dim = rows.shape
    layout = np.dtype(
        [
            ("columns", ">i2"),
            ("ordinal_size", ">i4"),
            ("ordinal", ">i4"),
            ("vector_size", ">i4"),
            ("dim", ">i2"),
            ("unused", ">i2"),
            ("numbers", ">f4", (dim,)),
        ]
    )
    yield BEGIN
    for start in range(0, count, BATCH):
        part = rows[start : start + BATCH]
        table = np.zeros(len(part), layout)
        table["columns"] = _COLUMNS
        table["ordinal_size"] = 4
        table["ordinal"] = np.arange(start, start + len(part))
        table["vector_size"] = 4 + 4 * dim
        table["dim"] = dim
        table["numbers"] = part
        known = [{}] * len(part) if labels is None else labels[start : start + BATCH]
        yield b"".join(
            piece for row, own in zip(table, known, strict=True) for piece in (row.tobytes(), _texts(own))
        )
    yield END


def as_text(vector: Floats) -> str:
    """Return a vector as pgvector reads it in text, without loss."""
    return "[" + ",".join(map(repr, vector.tolist())) + "]"


def _texts(labels: Labels) -> bytes:
    """Return the field with an array of texts: dimensions, nulls, type, then length and start, then texts."""
    texts = [text.encode() for text in written(labels)]
    head = struct.pack(">iii", 1 if texts else 0, 0, _TEXT)
    body = struct.pack(">ii", len(texts), 1) if texts else b""
    content = b"".join((head, body, *(struct.pack(">i", len(text)) + text for text in texts)))
    return struct.pack(">i", len(content)) + content
