"""`/items`: the catalog."""

import asyncio

import msgspec

from foretaste.app.home import Home
from foretaste.app.http.answers import CatalogChange, CatalogItem, CatalogReceipt, ItemStatus
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.asgi.problems import HttpError
from foretaste.app.http.queries import path_id
from foretaste.app.http.service import Service
from foretaste.domain.errors import InvalidItemError, UnknownItemError
from foretaste.domain.item import CatalogEntry, Item
from foretaste.events.items import parse_item
from foretaste.events.moments import format_moment
from foretaste.events.parts import parts_of
from foretaste.events.vectors import unpacked_vector

operations: Operations[Service] = Operations("Catalog")


class ItemBody(msgspec.Struct, frozen=True, kw_only=True):
    """An item. Every further member becomes an attribute: text, a number or a boolean."""

    title: str = ""
    text: str = ""
    categories: list[str] = []
    available_from: str | int | None = None
    available_until: str | int | None = None
    in_stock: bool = True
    hidden: bool = False
    vector: list[float] | None = None
    attributes: dict[str, str | float | bool] = {}


class BatchItemBody(ItemBody, frozen=True, kw_only=True):
    """An item of a batch."""

    item_id: str


@operations.route("GET", "/items/{item_id}", answer=CatalogItem, refusals=(400, 404))
async def read(service: Service, request: Request) -> Response:
    """Answer one item of the catalog."""
    item_id = path_id(request.path["item_id"], "item_id")
    return json_response(described(await asyncio.to_thread(_entry, service.home, item_id)))


@operations.route(
    "PUT", "/items/{item_id}", body=ItemBody, answer=CatalogChange, refusals=(400, 403, 408, 413, 415, 503)
)
async def put(service: Service, request: Request) -> Response:
    """Insert or replace an item.

    It can be recommended at once; one that is hidden, sold out or not available is in no answer from
    now on.
    """
    item_id = path_id(request.path["item_id"], "item_id")
    item = parse_item(await request.body(), item_id=item_id)
    return json_response(await asyncio.to_thread(_change, service.home, item_id, item))


@operations.route("DELETE", "/items/{item_id}", answer=CatalogChange, refusals=(400, 403, 503))
async def delete(service: Service, request: Request) -> Response:
    """Delete an item: it is in no answer from now on.

    Deleting what is not there changes nothing.
    """
    item_id = path_id(request.path["item_id"], "item_id")
    return json_response(await asyncio.to_thread(_change, service.home, item_id, None))


@operations.route(
    "PUT", "/items", body=list[BatchItemBody], answer=CatalogReceipt, refusals=(400, 403, 408, 413, 415, 503)
)
async def put_many(service: Service, request: Request) -> Response:
    """Insert or replace items: a list or `{"items": [...]}`, with a status for each.

    If all items are rejected the answer is 400 and its `errors` say why.
    """
    parts = parts_of(await request.body(), "items", InvalidItemError)
    return _acknowledged(await asyncio.to_thread(_put, service.home, parts))


def described(entry: CatalogEntry) -> CatalogItem:
    """Return an entry as it is answered; raise `UnknownItemError` for a deleted one."""
    item = entry.item
    if item is None:
        raise UnknownItemError("the item was deleted", field="item_id")
    return CatalogItem(
        item_id=item.item_id,
        item_idx=entry.ordinal,
        version=entry.version,
        title=item.title,
        text=item.text,
        categories=item.categories,
        attributes=item.attributes,
        available_from=None if item.available_from is None else format_moment(item.available_from),
        available_until=None if item.available_until is None else format_moment(item.available_until),
        in_stock=item.in_stock,
        hidden=item.hidden,
        vector=tuple(unpacked_vector(item.vector).tolist()),
    )


def _entry(home: Home, item_id: str) -> CatalogEntry:
    entry = home.catalog.get([item_id])[0]
    if entry is None:
        index = home.answerer.names.ordinal("item", item_id)
        name = home.answerer.names.of("item")[index] if index >= 0 else item_id
        entry = home.catalog.get([name])[0]
    if entry is None:
        raise UnknownItemError(f"the catalog has no item {item_id!r}", field="item_id")
    return entry


def _change(home: Home, item_id: str, item: Item | None) -> CatalogChange:
    before = home.catalog.version()
    version = home.delete_items([item_id]) if item is None else home.put_items([item])
    return CatalogChange(item_id=item_id, catalog_version=version, changed=version > before)


def _put(home: Home, parts: list[msgspec.Raw]) -> CatalogReceipt:
    statuses: list[ItemStatus] = []
    items: list[Item] = []
    for part in parts:
        try:
            item = parse_item(part)
        except InvalidItemError as error:
            statuses.append(ItemStatus(status="rejected", reason=error.message, field=error.field))
        else:
            items.append(item)
            statuses.append(ItemStatus(status="stored", item_id=item.item_id))
    version = home.put_items(items)
    return CatalogReceipt(
        stored=len(items),
        rejected=len(statuses) - len(items),
        catalog_version=version,
        items=tuple(statuses),
    )


def _acknowledged(receipt: CatalogReceipt) -> Response:
    if receipt.stored == 0:
        detail = f"all {receipt.rejected} items were rejected; `errors` says why, in their order"
        errors = tuple(msgspec.Raw(msgspec.json.encode(status)) for status in receipt.items)
        raise HttpError(400, detail, kind="invalid-item", errors=errors)
    return json_response(receipt)
