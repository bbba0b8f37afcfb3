"""`POST /events` and its other names."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from foretaste.app.home import Home
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.asgi.problems import HttpError
from foretaste.app.http.service import Service
from foretaste.domain.errors import InvalidEventError, InvalidInputError
from foretaste.events.parts import parts_of
from foretaste.ports.id_map import IdKind
from foretaste.serving.recorder import RawEvent, Receipt

operations: Operations[Service] = Operations("Events")

INLINE = 64
"""Batches above this are checked in a thread, so that answers do not wait for it."""
LONGEST_KEY = 256
_object = msgspec.json.Decoder(dict[str, Any])


class EventBody(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `type` may also be called `event_type` or `interaction_type`, `value` also `rating`."""

    user_id: str | int
    item_id: str | int
    type: str
    event_id: str | None = None
    timestamp: str | int | float | None = None
    value: float | None = None
    session_id: str | None = None
    recommendation_id: str | None = None
    context: dict[str, str] | None = None


class PurchaseBody(msgspec.Struct, frozen=True, kw_only=True):
    """A purchase, by ids or by dense indexes."""

    user_id: str | None = None
    item_id: str | None = None
    user_idx: int | None = None
    item_idx: int | None = None


@operations.route(
    "POST",
    "/events",
    body=EventBody | list[EventBody],
    answer=Receipt,
    status=202,
    refusals=(400, 403, 408, 413, 415, 503),
)
async def record(service: Service, request: Request) -> Response:
    """Record events: one, a list, or `{"events": [...]}`, with a status for each.

    202 means: on disk, folded, and in the next answer. An event is recognized again by its `event_id`,
    else by its content if it has a `timestamp`, else by the request's `Idempotency-Key`. If all events
    are rejected the answer is 400 and its `errors` say why.
    """
    parts = parts_of(await request.body(), "events", InvalidEventError)
    key = idempotency_key(request)
    return acknowledgement(await recorded(service.home, parts, service.clock(), key))


@operations.route(
    "POST",
    "/events/purchase",
    body=PurchaseBody | list[PurchaseBody],
    answer=Receipt,
    status=202,
    refusals=(400, 403, 408, 413, 415, 503),
)
async def purchase(service: Service, request: Request) -> Response:
    """Record purchases: `POST /events` with the type `purchase`, by ids or by dense indexes."""
    parts = parts_of(await request.body(), "events", InvalidEventError)
    key = idempotency_key(request)
    raws = [_purchase(service.home, part) for part in parts]
    return acknowledgement(await recorded(service.home, raws, service.clock(), key))


def idempotency_key(request: Request) -> str | None:
    """Return the `Idempotency-Key` of a request; raise `InvalidInputError` for one that is too long."""
    key = request.header(b"idempotency-key")
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise InvalidInputError(
            f"Idempotency-Key must have 1 to {LONGEST_KEY} characters", field="Idempotency-Key"
        )
    return key


async def recorded(home: Home, raws: Sequence[RawEvent], now: int, key: str | None) -> Receipt:
    """Record events without holding up other requests; return when they are durable and folded."""
    recorder = home.recorder
    if len(raws) <= INLINE:
        pending = recorder.submit(raws, now=now, idempotency_key=key)
    else:
        pending = await asyncio.to_thread(recorder.submit, raws, now=now, idempotency_key=key)
    await asyncio.wrap_future(pending.stored)
    return recorder.receipt(pending)


def acknowledgement(receipt: Receipt) -> Response:
    """Return 202 and the receipt; raise `HttpError` (400) where every event was rejected."""
    if receipt.rejected == len(receipt.events):
        first = receipt.events[0]
        detail = first.reason or "the event was rejected"
        if receipt.rejected > 1:
            detail = f"all {receipt.rejected} events were rejected; `errors` says why, in their order"
        errors = tuple(msgspec.Raw(msgspec.json.encode(status)) for status in receipt.events)
        raise HttpError(400, detail, kind="invalid-event", field=first.field, errors=errors)
    return json_response(receipt, 202)


def _purchase(home: Home, part: msgspec.Raw) -> RawEvent:
    """Return a purchase as an event; what cannot be one is rejected by the event's own check."""
    try:
        fields = _object.decode(part)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"user_id": None}
    try:
        named = {"user_id": _named(home, "user", fields), "item_id": _named(home, "item", fields)}
    except InvalidEventError as error:
        return error.with_traceback(None)
    rest = {name: value for name, value in fields.items() if name not in ("event_type", "interaction_type")}
    return {**rest, **named, "type": "purchase"}


def _named(home: Home, kind: IdKind, fields: Mapping[str, Any]) -> Any:
    """Return the id, or the one that a dense index stands for.

    Raises `InvalidEventError`, counted, for an index that nothing has.
    """
    index = fields.get(f"{kind}_idx")
    if index is None:
        return fields.get(f"{kind}_id")
    names = home.answerer.names.of(kind)
    is_index = isinstance(index, int) and not isinstance(index, bool)
    if is_index and 0 <= index < len(names):
        return names[index]
    home.telemetry.count("purchase_lookup_errors_total", type=kind)
    if not is_index:
        raise InvalidEventError(f"{kind}_idx must be a whole number, as 123", field=f"{kind}_idx")
    raise InvalidEventError(
        f"no {kind} has the index {str(index)[:80]}; send {kind}_id, or an index from an answer",
        field=f"{kind}_idx",
    )
