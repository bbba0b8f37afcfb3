"""What the storefront asks besides recommendations: search, categories, some people to look at."""

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from foretaste.app.http.answers import Categories, FoundItems, Users
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.asgi.parameters import Parameters
from foretaste.app.http.service import Service

operations: Operations[Service] = Operations("Storefront")


class SearchParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for."""

    q: Annotated[str, Meta(max_length=200, description="Words of the title; none: the most popular.")] = ""
    limit: Annotated[int, Meta(ge=1, le=50)] = 10
    category: Annotated[tuple[str, ...], Meta(description="Only these categories.")] = ()


class LimitParameters(msgspec.Struct, frozen=True, kw_only=True):
    """How many."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20


SEARCH = Parameters(SearchParameters)
LIMIT = Parameters(LimitParameters)


@operations.route("GET", "/catalog/search", parameters=SEARCH, answer=FoundItems, refusals=(400,))
async def search(service: Service, request: Request) -> Response:
    """Find items by words of their title, the most popular first."""
    given = SEARCH.read(request.query)
    found = await asyncio.to_thread(
        service.home.search.items, given.q, now=service.clock(), limit=given.limit, categories=given.category
    )
    return json_response(FoundItems(items=found))


@operations.route("GET", "/catalog/categories", parameters=LIMIT, answer=Categories, refusals=(400,))
async def categories(service: Service, request: Request) -> Response:
    """List the categories of what may be shown, those with most items first."""
    limit = LIMIT.read(request.query).limit
    found = await asyncio.to_thread(service.home.search.categories, now=service.clock(), limit=limit)
    return json_response(Categories(categories=found))


@operations.route("GET", "/users", parameters=LIMIT, answer=Users, refusals=(400,))
async def users(service: Service, request: Request) -> Response:
    """List some people with events, spread evenly over all."""
    limit = LIMIT.read(request.query).limit
    return json_response(Users(users=await asyncio.to_thread(service.home.search.users, limit=limit)))
