"""Cursors: all that the pages before showed, written so that the client can bring it along.

Nothing is kept here. So a cursor holds in every process, after a restart, and while events arrive, models
swap and the catalog changes: the next page is the best of what was not shown yet.
"""

from base64 import b64encode
from binascii import Error, a2b_base64
from collections.abc import Sequence
from itertools import accumulate
from operator import itemgetter
from zlib import crc32

import msgspec

from foretaste.domain.errors import InvalidQueryError
from foretaste.domain.query import Query
from foretaste.domain.slate import Slate

MOST_SHOWN = 1000
"""After so many items there is no next page."""

LONGEST = 8192
_LAYOUT = 1


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    """What a cursor says: of which question, and the ordinals shown, as the steps from one to the next.

    `names` is a checksum of the items' ids: ordinals of another service mean other items.
    """

    layout: int
    question: int
    names: int
    steps: tuple[int, ...]


_read = msgspec.msgpack.Decoder(_Cursor).decode


def next_cursor(
    asked: Query, k: int, slate: Slate, shown_ids: Sequence[str], shown: Sequence[int]
) -> str | None:
    """Return what asks for the page after `slate`, None where it is the last one.

    `asked` is the question as it was asked, of `k` items; `shown_ids` and `shown` are ids and ordinals of the
    pages before.
    """
    items = slate.items
    if len(items) < k or len(items) + len(shown) > MOST_SHOWN:
        return None
    both = [(item.item_idx, item.item_id) for item in items]
    both += zip(shown, shown_ids, strict=True)
    both.sort(key=itemgetter(0))
    ordinals = [ordinal for ordinal, _ in both]
    steps = [after - before for before, after in zip([0, *ordinals], ordinals, strict=False)]
    packed = msgspec.msgpack.encode((_LAYOUT, _question(asked), _checksum([name for _, name in both]), steps))
    return b64encode(packed, b"-_").rstrip(b"=").decode()


def shown_before(cursor: str, asked: Query, names: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of what the pages before showed; `names` are all items' ids by ordinal.

    Raises `InvalidQueryError` for a cursor that is none of ours, or that belongs to another question.
    """
    said = _decoded(cursor)
    if said is None or said.layout != _LAYOUT:
        raise _refused("is not one of ours; send `next_cursor` of the page before as it came")
    if said.question != _question(asked):
        raise _refused(
            "belongs to another question; ask for the next page with the same person, items, scenario, "
            "model, filters and rules"
        )
    ordinals = list(accumulate(said.steps))
    known = 0 < len(ordinals) <= MOST_SHOWN and min(said.steps) >= 0 and ordinals[-1] < len(names)
    found = tuple([names[ordinal] for ordinal in ordinals]) if known else ()
    if not known or _checksum(found) != said.names:
        raise _refused("comes from another service; begin with the first page, without a cursor")
    return found


def _decoded(cursor: str) -> _Cursor | None:
    if len(cursor) > LONGEST:
        return None
    try:
        raw = cursor.encode("ascii").translate(bytes.maketrans(b"-_", b"+/"))
        return _read(a2b_base64(raw + b"=" * (-len(raw) % 4), strict_mode=True))
    except (Error, ValueError, msgspec.MsgspecError):
        return None


def _question(asked: Query) -> int:
    """Return a digest of what stays the same from page to page."""
    told = (
        asked.user_id,
        asked.item_id,
        asked.item_ids,
        asked.scenario,
        asked.model,
        asked.filters,
        asked.exclude,
        asked.filter,
        asked.rules,
    )
    return crc32(msgspec.msgpack.encode(told, order="deterministic"))


def _checksum(names: Sequence[str]) -> int:
    return crc32("\0".join(names).encode())


def _refused(problem: str) -> InvalidQueryError:
    return InvalidQueryError(f"cursor {problem}", field="cursor")
