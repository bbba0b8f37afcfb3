"""Arrays as PostgreSQL's binary format has them: made of and read into NumPy's without a step per element."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER = struct.Struct(">5i")
_NULL = b"\xff\xff\xff\xff"
_LOWER_BOUND = 1


class PackedArray(bytes):
    """An array in binary format; a subclass for each type of elements."""

    __slots__ = ()
    element, oid, kind = 0, 0, ""


class Int2s(PackedArray):
    """smallint[]."""

    __slots__ = ()
    element, oid, kind = 21, 1005, ">i2"


class Int4s(PackedArray):
    """integer[]."""

    __slots__ = ()
    element, oid, kind = 23, 1007, ">i4"


class Int8s(PackedArray):
    """bigint[]."""

    __slots__ = ()
    element, oid, kind = 20, 1016, ">i8"


class Float8s(PackedArray):
    """double precision[]."""

    __slots__ = ()
    element, oid, kind = 701, 1022, ">f8"


class Texts(PackedArray):
    """text[]."""

    __slots__ = ()
    element, oid = 25, 1009


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        return bytes(obj)


for _kind in (Int2s, Int4s, Int8s, Float8s, Texts):
    psycopg.adapters.register_dumper(
        _kind, type(f"{_kind.__name__}Dumper", (_PackedDumper,), {"oid": _kind.oid})
    )


def packed(kind: type[PackedArray], values: Sequence[float] | NDArray[Any]) -> PackedArray:
    """Return numbers as an array of `kind`."""
    rows = np.empty(len(values), [("size", ">i4"), ("value", kind.kind)])
    rows["size"] = rows.dtype["value"].itemsize
    rows["value"] = values
    return kind(_header(kind, len(values)) + rows.tobytes())


def packed_texts(texts: Sequence[str | None]) -> Texts:
    """Return texts as an array, None as null. Raises `UnicodeEncodeError` for lone surrogates."""
    if texts.count(None) == len(texts):
        return Texts(_header(Texts, len(texts)) + _NULL * len(texts))
    parts = [_header(Texts, len(texts))]
    for text in texts:
        if text is None:
            parts.append(_NULL)
        else:
            written = text.encode()
            parts += (len(written).to_bytes(4, "big"), written)
    return Texts(b"".join(parts))


def unpacked(written: bytes | None, stored: str, kind: Any) -> NDArray[Any]:
    """Return what an array without nulls holds, each stored as `stored` (as ">i8"), as `kind`."""
    body = (written or b"")[_HEADER.size :]
    rows = np.frombuffer(body, [("size", ">i4"), ("value", stored)])
    return rows["value"].astype(kind)


def _header(kind: type[PackedArray], length: int) -> bytes:
    if not length:
        return struct.pack(">3i", 0, 0, kind.element)
    return _HEADER.pack(1, 1, kind.element, length, _LOWER_BOUND)
