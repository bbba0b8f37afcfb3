"""What a build of an index is called at a server: by its content, so that equal builds are one."""

import hashlib
import re
from collections.abc import Sequence

import msgspec

from foretaste.domain.arrays import Floats
from foretaste.domain.errors import InvalidInputError, InvalidQueryError
from foretaste.ports.vector_index import Labels, Values

PLAIN = re.compile(r"[a-z0-9_]{1,24}")
BUILD_LETTERS = 16


def build_of(rows: Floats, labels: Sequence[Labels] | None, *parameters: int) -> str:
    """Return the name of the build that these rows, labels and parameters make: 16 hexadecimal digits."""
    digest = hashlib.sha256(f"{rows.shape} {parameters}".encode())
    digest.update(rows.data if rows.size else b"")
    for own in labels or ():
        digest.update(msgspec.msgpack.encode(sorted(written(own))))
    return digest.hexdigest()[:BUILD_LETTERS]


def name_of(name: str) -> str:
    """Return `name` in letters that every server takes, different for different names."""
    if not name:
        raise InvalidInputError("an index needs a name", field="name")
    if PLAIN.fullmatch(name):
        return name
    return "x" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:23]


def written(labels: Labels) -> list[str]:
    """Return labels as a server keeps them, `category=Drama` each."""
    return [label(attribute, value) for attribute, values in labels.items() for value in values]


def label(attribute: str, value: str) -> str:
    """Return one label in one text, different for different ones: a `=` in the attribute is escaped."""
    return f"{attribute.replace('%', '%25').replace('=', '%3D')}={value}"


def asked(values: Values | None) -> list[list[str]]:
    """Return for each attribute the labels asked about; `InvalidQueryError` for a text instead of texts."""
    for attribute, wanted in (values or {}).items():
        if isinstance(wanted, str):
            raise InvalidQueryError(f"a filter by {attribute!r} needs a list of values", field=attribute)
    return [[label(attribute, value) for value in wanted] for attribute, wanted in (values or {}).items()]
