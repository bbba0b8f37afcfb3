"""Bodies of questions, as clients write them."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from foretaste.app.arguments import unreadable

Body = TypeVar("Body")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_body(read: Callable[[bytes], Body], body: bytes) -> Body:
    """Return what `read` makes of a body; a member that is null is as good as left out.

    Raises `InvalidQueryError` that names the field.
    """
    try:
        try:
            return read(body)
        except msgspec.ValidationError:
            return read(_without_nulls(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error) from error


def _without_nulls(body: bytes) -> bytes:
    """Return an object without its members that are null."""
    members = _members.decode(body)
    return msgspec.json.encode({name: value for name, value in members.items() if bytes(value) != b"null"})
