"""`POST /recommend/batch`: many people in one request."""

import asyncio
import logging
import time
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta

from foretaste.app.http.answers import Recommendations
from foretaste.app.http.asgi.exchange import TIME_LEFT, Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.asgi.problems import HttpError
from foretaste.app.http.queries import RecommendBody, asked_in, query_of_body
from foretaste.app.http.routes.recommend import answered
from foretaste.app.http.service import Service
from foretaste.domain.errors import InvalidQueryError, NotFoundError
from foretaste.events.text import checked_id

operations: Operations[Service] = Operations("Recommendations")
_log = logging.getLogger(__name__)


class ManyBody(RecommendBody, frozen=True, kw_only=True):
    """A question as of `POST /recommend`, about each of `user_ids`; `user_id` is not read."""

    user_ids: Annotated[list[str | int], Meta(min_length=1, description="The people, in their order.")]


class PersonAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one person: `status` 200 and their answer, or another status and why."""

    user_id: str
    status: int
    answer: Recommendations | None = None
    error: str | None = None


class ManyAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """One answer per person, in the order of the request; `failed` counts those without one."""

    failed: int
    answers: tuple[PersonAnswer, ...]


_read = msgspec.json.Decoder(ManyBody).decode


@operations.route(
    "POST", "/recommend/batch", body=ManyBody, answer=ManyAnswers, refusals=(400, 404, 408, 413, 415)
)
async def recommend_many(service: Service, request: Request) -> Response:
    """Answer what to show to each of many people.

    The question is that of `POST /recommend`, the same for all. Each person has a status of their own: one
    who cannot be answered does not spoil it for the others. The setting `batch_users` limits how many there
    may be. For everyone there is, use `foretaste batch`.
    """
    given = asked_in(_read, await request.body())
    most = service.home.settings.batch_users
    if len(given.user_ids) > most:
        raise InvalidQueryError(
            f"user_ids has {len(given.user_ids):,} people, more than the {most:,} that the setting "
            "batch_users allows; send several requests, or use foretaste batch",
            field="user_ids",
        )
    return json_response(await _all(service, given, request.scope.get(TIME_LEFT)))


async def _all(service: Service, given: ManyBody, left: float | None) -> ManyAnswers:
    """Answer one after the other, and let other requests in between; `left` seconds are for all of them."""
    end = None if left is None else time.perf_counter() + left
    answers: list[PersonAnswer] = []
    for user_id in map(str, given.user_ids):
        answers.append(await service.answered(partial(_one, service, given, user_id, end)))
        await asyncio.sleep(0)
    return ManyAnswers(failed=sum(each.answer is None for each in answers), answers=tuple(answers))


def _one(service: Service, given: ManyBody, user_id: str, end: float | None) -> PersonAnswer:
    """Answer one person; what is wrong with the question itself is raised, and not each one's failure."""
    try:
        checked_id(user_id, "user_ids", InvalidQueryError)
    except InvalidQueryError as error:
        return PersonAnswer(user_id=user_id, status=400, error=error.message)
    asked = msgspec.structs.replace(given, user_id=user_id)
    seconds = service.answer_seconds or None if end is None else max(end - time.perf_counter(), 0.0)
    try:
        answer = answered(service, query_of_body(asked, service.clock()), asked, seconds)
    except (InvalidQueryError, NotFoundError, HttpError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever fails for one must not end the others
        _log.exception("one of many people could not be answered")
        return PersonAnswer(user_id=user_id, status=500, error=type(error).__name__)
    return PersonAnswer(user_id=user_id, status=200, answer=answer)
