"""What the storefront asks besides recommendations: search, categories, some people to look at."""

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from foretaste.app.http.answers import CatalogSummary, FoundItems, Users
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.asgi.parameters import Parameters
from foretaste.app.http.service import Service
from foretaste.serving.profile import counted_types
from foretaste.serving.search import UserOrder

operations: Operations[Service] = Operations("Storefront")


class SearchParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for."""

    q: Annotated[str, Meta(max_length=200, description="Words of the title; none: the most popular.")] = ""
    limit: Annotated[int, Meta(ge=1, le=50)] = 10
    category: Annotated[tuple[str, ...], Meta(description="Only these categories.")] = ()


class LimitParameters(msgspec.Struct, frozen=True, kw_only=True):
    """How many."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class UserParameters(LimitParameters, frozen=True, kw_only=True):
    """How many people, and which."""

    order: Annotated[
        UserOrder, Meta(description="`spread` evenly over all, or `recent`: who did something last, first.")
    ] = "spread"


SEARCH = Parameters(SearchParameters)
LIMIT = Parameters(LimitParameters)
USERS = Parameters(UserParameters)


@operations.route("GET", "/catalog/search", parameters=SEARCH, answer=FoundItems, refusals=(400,))
async def search(service: Service, request: Request) -> Response:
    """Find items by words of their title, the most popular first."""
    given = SEARCH.read(request.query)
    found = await asyncio.to_thread(
        service.home.search.items, given.q, now=service.clock(), limit=given.limit, categories=given.category
    )
    return json_response(FoundItems(items=found))


@operations.route("GET", "/catalog", parameters=LIMIT, answer=CatalogSummary, refusals=(400,))
async def catalog(service: Service, request: Request) -> Response:
    """Describe what may be shown now: how much, and the categories with most items first.

    `taken_by` are the event types after which a person has an item: `purchase` in a shop.
    """
    limit = LIMIT.read(request.query).limit
    return json_response(await asyncio.to_thread(_summary, service, limit))


@operations.route("GET", "/users", parameters=USERS, answer=Users, refusals=(400,))
async def users(service: Service, request: Request) -> Response:
    """List some people with events."""
    given = USERS.read(request.query)
    found = await asyncio.to_thread(service.home.search.users, limit=given.limit, order=given.order)
    return json_response(Users(users=found))


def _summary(service: Service, limit: int) -> CatalogSummary:
    home, now = service.home, service.clock()
    columns = home.catalog_columns
    return CatalogSummary(
        version=columns.version,
        available=int(columns.available(now).sum()),
        taken_by=counted_types(home.answerer.names.of("type")),
        categories=home.search.categories(now=now, limit=limit),
    )
