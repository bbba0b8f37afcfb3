"""`/recommend`, `/items/{item_id}/similar`, `/users/{user_id}/profile`."""

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from foretaste.app.http.answers import Recommendations, SimilarItems, recommendations_of, similar_of
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.asgi.parameters import Parameters
from foretaste.app.http.asgi.problems import HttpError
from foretaste.app.http.queries import (
    RECOMMEND,
    RECOMMEND_NAMED,
    SIMILAR,
    RecommendBody,
    RecommendParameters,
    body_of_recommend,
    path_id,
    query_of_body,
    recommend_query,
    similar_query,
)
from foretaste.app.http.service import Service
from foretaste.domain.errors import UnknownModelError
from foretaste.domain.query import Query
from foretaste.serving.profile import Profile
from foretaste.serving.watching import Watch

operations: Operations[Service] = Operations("Recommendations")


class ProfileParameters(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a profile."""

    recent_limit: Annotated[int, Meta(ge=1, le=50, description="How many recent purchases and events.")] = 10
    top_categories: Annotated[int, Meta(ge=1, le=10, description="How many groups and types.")] = 5


PROFILE = Parameters(ProfileParameters)


@operations.route(
    "GET", "/recommend/{user_id}", parameters=RECOMMEND, answer=Recommendations, refusals=(400, 404)
)
def recommend(service: Service, request: Request) -> Response:
    """Answer what to show to a person now.

    Live: the answer knows every event acknowledged before. An unknown person gets what is trending, and
    `source` says so. `user_id` may also be the dense index `user_idx`, as long as nobody has a number of up
    to eight digits for an id: from then on a number is an id. `limit` and `n` are other names of `k`.
    """
    given = RECOMMEND.read(request.query)
    query = recommend_query(given, request.path["user_id"], service.clock())
    return json_response(answered(service, query, given, service.seconds_for(request)))


@operations.route(
    "GET", "/recommend", parameters=RECOMMEND_NAMED, answer=Recommendations, refusals=(400, 404)
)
def recommend_named(service: Service, request: Request) -> Response:
    """Answer the same, with the person as a parameter.

    Without `user_id`: what is trending.
    """
    given = RECOMMEND_NAMED.read(request.query)
    query = recommend_query(given, given.user_id, service.clock())
    return json_response(answered(service, query, given, service.seconds_for(request)))


@operations.route(
    "POST", "/recommend", body=RecommendBody, answer=Recommendations, refusals=(400, 404, 408, 413, 415)
)
async def recommend_by_body(service: Service, request: Request) -> Response:
    """Answer the same to a question in a body, which has room for `rules`.

    Its members are the parameters of `GET /recommend`, lists as lists, `context` as an object. `rules` say
    what holds for the slate as a whole: bounds of groups (`quotas`), what stands where (`slots`), what is
    `forbidden`, what was shown often enough (`rest`), and how much it follows the person's own mix
    (`own_mix`). Those that could not be kept are `relaxed` in the answer.
    """
    given = body_of_recommend(await request.body())
    query = query_of_body(given, service.clock())
    seconds = service.seconds_for(request)
    return json_response(await service.answered(lambda: answered(service, query, given, seconds)))


@operations.route(
    "GET", "/items/{item_id}/similar", parameters=SIMILAR, answer=SimilarItems, refusals=(400, 404)
)
def similar(service: Service, request: Request) -> Response:
    """Answer which items are like one item.

    `item_id` may also be the dense index `item_idx`, as long as no item has a number of up to eight digits
    for an id.
    """
    given = SIMILAR.read(request.query)
    query = similar_query(given, request.path["item_id"], service.clock())
    slate = service.home.answerer.similar(query, page_id=given.page_id, seconds=service.seconds_for(request))
    return json_response(similar_of(slate))


def answered(
    service: Service, query: Query, given: RecommendParameters, seconds: float | None
) -> Recommendations:
    """Return the answer to `query`, made in `seconds`; a model that is not there is a wrong parameter."""
    watch = Watch() if given.debug else None
    try:
        slate = service.home.answerer.recommend(
            query,
            dry_run=given.dry_run,
            cursor=given.cursor,
            page_id=given.page_id,
            seconds=seconds,
            watch=watch,
        )
    except UnknownModelError as error:
        raise HttpError(400, error.message, kind="unknown-model", field="model") from error
    answer = recommendations_of(slate)
    if watch is None:
        return answer
    return msgspec.structs.replace(answer, debug=watch.seen(slate.versions.state_seq, seconds))


@operations.route("GET", "/users/{user_id}/profile", parameters=PROFILE, answer=Profile, refusals=(400, 404))
async def profile(service: Service, request: Request) -> Response:
    """Answer what is known of a person.

    Purchases are events of the types `counted_types`: `purchase`, or, where the log holds none at all,
    those that say that a person took an item (a film watched or rated).
    """
    given = PROFILE.read(request.query)
    found = await asyncio.to_thread(
        service.home.profiler.profile,
        path_id(request.path["user_id"], "user_id"),
        recent_limit=given.recent_limit,
        top_categories=given.top_categories,
    )
    return json_response(found)
