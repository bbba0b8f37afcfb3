"""Which events are the same: ids from the client, from the content, or minted."""

import secrets
from hashlib import blake2b

from foretaste.domain.event import Event

DERIVED, MINTED, PLACED = "d-", "m-", "s-"


def derived_event_id(event: Event, occurrence: int = 0) -> str:
    """Return the id of an event that came with a timestamp of its client but without an id.

    It follows from all other fields, so a retry is recognized; `timestamp` is to be the client's, before
    any correction. `occurrence` numbers equal events of one import, so that honest repeats stay apart
    and importing the same file again changes nothing.
    """
    facts = (
        event.user_id,
        event.item_id,
        event.type,
        str(event.timestamp),
        "" if event.value is None else repr(event.value),
        event.session_id or "",
        event.recommendation_id or "",
        str(occurrence),
        *(part for pair in sorted(event.context.items()) for part in pair),
    )
    encoded = [fact.encode() for fact in facts]
    text = b"".join(b"%d:%b" % (len(fact), fact) for fact in encoded)
    return DERIVED + blake2b(text, digest_size=16).hexdigest()


def minted_event_id() -> str:
    """Return a new id for an event that has neither id nor timestamp: a retry of it is another event."""
    return MINTED + secrets.token_hex(16)


def placed_event_id(stream: str, partition: int, offset: int, place: int) -> str:
    """Return the id of an event that says nothing of itself, by where it stands in a stream.

    `place` numbers the events of one message. Reading the message again gives the same id.
    """
    text = f"{len(stream)}:{stream}/{partition}/{offset}/{place}"
    return PLACED + blake2b(text.encode(), digest_size=16).hexdigest()


def event_key(event_id: str) -> int:
    """Return a stable signed 64-bit hash of an event id (BLAKE2b).

    Two of n different ids share a key with a chance of about n²/2^65: one in 370,000 for 10 million.
    """
    return int.from_bytes(blake2b(event_id.encode(), digest_size=8).digest(), "little", signed=True)
