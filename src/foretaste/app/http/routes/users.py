"""`/users/{user_id}`: what is known of a person beside what they did."""

import asyncio

import msgspec

from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.queries import path_id
from foretaste.app.http.service import Service
from foretaste.app.merging import Merged, merge_users
from foretaste.domain.errors import InvalidInputError, NotFoundError
from foretaste.events.people import parse_attributes

operations: Operations[Service] = Operations("People")
FORM = 'what is known of a person is sent as {"attributes": {"age": 25, "country": "France"}}'


class UserBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a person: texts, numbers, truth values by name. `user_id` is that of the address."""

    user_id: str | int | None = None
    attributes: dict[str, str | float | bool | None] = {}


class UserAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a person."""

    user_id: str
    attributes: dict[str, str | float | bool]


class MergeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who becomes whom."""

    from_user_id: str | int
    into_user_id: str | int


@operations.route(
    "POST", "/users/merge", body=MergeBody, answer=Merged, refusals=(400, 403, 408, 413, 415, 503)
)
async def merge(service: Service, request: Request) -> Response:
    """Make an anonymous id a known person.

    Their histories become one, what comes later under the old id counts for the person, and the very next
    answer for either id knows it. To do it again changes nothing.
    """
    try:
        body = msgspec.json.decode(await request.body(), type=MergeBody)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            f"the body does not say who becomes whom: {error}", field="from_user_id"
        ) from error
    old, into = str(body.from_user_id), str(body.into_user_id)
    merged = await asyncio.to_thread(merge_users, service.home, old, into, clock=service.clock)
    return json_response(merged)


@operations.route("GET", "/users/{user_id}", answer=UserAnswer, refusals=(400, 404))
async def read(service: Service, request: Request) -> Response:
    """Answer the attributes of a person."""
    user_id = path_id(request.path["user_id"], "user_id")
    known = await asyncio.to_thread(service.home.profiles.get, user_id)
    if known is None:
        raise NotFoundError(f"nothing is known of user {user_id!r}; PUT /users/{{user_id}} tells it")
    return json_response(UserAnswer(user_id=user_id, attributes=known))


@operations.route(
    "PUT", "/users/{user_id}", body=UserBody, answer=UserAnswer, refusals=(400, 403, 408, 413, 415, 503)
)
async def put(service: Service, request: Request) -> Response:
    """Replace the attributes of a person: age, gender, country, whatever there is.

    The next answer knows them; what they say about taste is learnt by training.
    """
    user_id = path_id(request.path["user_id"], "user_id")
    try:
        body = msgspec.json.decode(await request.body(), type=UserBody)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"the body is no user: {error}; {FORM}", field="attributes") from error
    if body.user_id is not None and str(body.user_id) != user_id:
        raise InvalidInputError(
            f"user_id {str(body.user_id)[:80]!r} is not the {user_id!r} of the address", field="user_id"
        )
    known = parse_attributes(user_id, body.attributes)
    await asyncio.to_thread(service.home.put_people, {user_id: known})
    return json_response(UserAnswer(user_id=user_id, attributes=known))
