"""The recommendation id: a name for a slate that tells when and from which versions it was made."""

import struct
from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from hashlib import blake2b

import msgspec

from foretaste.domain.errors import InvalidQueryError
from foretaste.domain.query import Query
from foretaste.domain.slate import Versions

_LAYOUT = struct.Struct(">QQQI4s4s4s8s")
_USUAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SORTED = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_TO_SORTED = bytes.maketrans(_USUAL, _SORTED)
_TO_USUAL = bytes.maketrans(_SORTED, _USUAL)
_LETTERS = _SORTED.decode()
LENGTH = 64


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a recommendation id says. Names are there as 4-byte digests: compare them by `digest`."""

    time: int
    state_seq: int
    item_state_seq: int
    catalog_version: int
    artifact: bytes
    blend: bytes
    scenario: bytes

    def came_from(self, versions: Versions) -> bool:
        """Return whether a slate of `versions` can have this id."""
        return (
            self.state_seq == versions.state_seq
            and self.item_state_seq == versions.item_state_seq
            and self.catalog_version == versions.catalog_version & 0xFFFFFFFF
            and self.artifact == digest(versions.artifact)
            and self.blend == digest(versions.blend)
            and self.scenario == digest(versions.scenario_version or versions.scenario)
        )


@lru_cache(maxsize=256)
def digest(name: str) -> bytes:
    """Return the four bytes that stand for a name in an id."""
    return blake2b(name.encode(), digest_size=4).digest()


def make_id(query: Query, versions: Versions) -> str:
    """Return the id of the answer to `query`: 64 characters fit for URLs, sorting by time.

    The same query and versions give the same id; the query's seed keeps two requests apart.
    """
    unique = blake2b(msgspec.msgpack.encode((query, versions.namespace)), digest_size=8).digest()
    packed = _LAYOUT.pack(
        max(query.now, 0),
        versions.state_seq,
        versions.item_state_seq,
        versions.catalog_version & 0xFFFFFFFF,
        digest(versions.artifact),
        digest(versions.blend),
        digest(versions.scenario_version or versions.scenario),
        unique,
    )
    return b2a_base64(packed, newline=False).translate(_TO_SORTED).decode()


def is_id(text: str | None) -> bool:
    """Return whether a text has the form of the ids made here: other systems' ids are told from them."""
    return text is not None and len(text) == LENGTH and text.isascii() and not text.strip(_LETTERS)


def parse_id(recommendation_id: str) -> Identity:
    """Return what an id says; raise `InvalidQueryError` if it is none."""
    try:
        raw = recommendation_id.encode("ascii")
        packed = a2b_base64(raw.translate(_TO_USUAL), strict_mode=True)
        time, state_seq, item_state_seq, catalog, artifact, blend, scenario, _ = _LAYOUT.unpack(packed)
    except (ValueError, struct.error) as error:
        raise InvalidQueryError(
            "`recommendation_id` is not one of ours; send it as the answer gave it", field="recommendation_id"
        ) from error
    return Identity(
        time=time,
        state_seq=state_seq,
        item_state_seq=item_state_seq,
        catalog_version=catalog,
        artifact=artifact,
        blend=blend,
        scenario=scenario,
    )
