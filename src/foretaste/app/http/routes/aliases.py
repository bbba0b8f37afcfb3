"""Paths of other systems: each mapped to the canonical operation, its answer reshaped; no logic here."""

from typing import Annotated

import msgspec
from msgspec import Meta

from foretaste.app.arguments import unreadable
from foretaste.app.http.answers import (
    AvailableModels,
    ColdStart,
    ModelScores,
    NamedScores,
    Success,
    ViewAnswer,
    named_scores,
)
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.asgi.parameters import Parameters
from foretaste.app.http.asgi.problems import HttpError
from foretaste.app.http.queries import (
    OTHER_NAMES,
    WHOLE,
    RecommendParameters,
    Values,
    path_id,
    recommend_query,
)
from foretaste.app.http.routes.events import idempotency_key, recorded
from foretaste.app.http.service import Service
from foretaste.domain.errors import InvalidEventError, UnknownModelError
from foretaste.domain.slate import Slate
from foretaste.events.moments import format_moment
from foretaste.events.text import checked_id
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.model_names import HYBRID
from foretaste.pipeline.scenario import SHOP as TAKING_TURNS
from foretaste.pipeline.scenario import Scenario
from foretaste.serving.answering import CACHE

operations: Operations[Service] = Operations("Other systems' paths")
NEW_USER, MODEL = "cold_start_handler", "model"


class ShopParameters(msgspec.Struct, frozen=True, kw_only=True):
    """How many."""

    k: Annotated[int, Meta(ge=1, le=50, description="How many items; also `limit` and `n`.")] = 5
    filter: Annotated[Values, Meta(description="As for `GET /recommend`.")] = ()
    boost: Annotated[Values, Meta(description="As for `GET /recommend`.")] = ()


class ViewParameters(ShopParameters, frozen=True, kw_only=True):
    """Who views, and how much to show next."""

    user_id: Annotated[str, Meta(description="The person; a POST may say so in its body.")] | None = None


class ViewBody(msgspec.Struct, frozen=True, kw_only=True):
    """Who views, where the address does not say so."""

    user_id: str | int | None = None


class CourseParameters(ShopParameters, frozen=True, kw_only=True):
    """For whom, by which model and in what situation."""

    user_id: Annotated[str, Meta(description="The person.")]
    model: Annotated[str, Meta(max_length=64, description="A name of `GET /api/models`.")] = HYBRID
    context: Annotated[
        dict[str, str],
        Meta(description="`context_category` allows only that category; `context_*` is what is known else."),
    ] = {}


class EngagementBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a person took notice of; `engagement_type` is an event type."""

    user_id: str | int
    item_id: str | int
    engagement_type: str = "click"
    event_id: str | None = None
    timestamp: str | int | float | None = None
    value: float | None = None
    session_id: str | None = None
    recommendation_id: str | None = None
    context: dict[str, str] | None = None


SHOP = Parameters(ShopParameters, OTHER_NAMES, WHOLE)
COURSE = Parameters(CourseParameters, OTHER_NAMES, WHOLE)
VIEW = Parameters(ViewParameters, OTHER_NAMES, WHOLE)


@operations.route(
    "GET",
    "/api/recommendations/{user_id}",
    parameters=SHOP,
    answer=NamedScores,
    refusals=(400,),
    legacy=True,
)
def shop(service: Service, request: Request) -> Response:
    """Answer recommendations as the shop tutorial has them: categories take turns (scenario `shop`)."""
    user_id = request.path["user_id"]
    slate = _slate(service, request, user_id, SHOP.read(request.query), TAKING_TURNS)
    return json_response(NamedScores(user_id=user_id, recommendations=named_scores(slate)))


@operations.route(
    "GET",
    "/api/recommendations",
    parameters=COURSE,
    answer=ModelScores,
    refusals=(400,),
    legacy=True,
)
def course(service: Service, request: Request) -> Response:
    """Answer recommendations by one of several models, as the course lesson has them."""
    given = COURSE.read(request.query)
    slate = _slate_by_model(service, request, given)
    answer = ModelScores(
        user_id=given.user_id,
        model=given.model,
        source=CACHE if slate.source == CACHE else MODEL,
        model_last_updated=_updated(service.home.artifact),
        recommendations=named_scores(slate),
    )
    return json_response(answer)


@operations.route("GET", "/api/models", answer=AvailableModels, legacy=True)
def course_models(service: Service, _: Request) -> Response:
    """List the models that can be asked by name, and say when each was last updated."""
    names = service.home.answerer.model_names()
    updated = _updated(service.home.artifact)
    return json_response(AvailableModels(available_models=names, last_updated=dict.fromkeys(names, updated)))


@operations.route(
    "GET",
    "/api/recommendations_with_cold_start",
    parameters=COURSE,
    answer=ColdStart,
    refusals=(400,),
    legacy=True,
)
def cold_start(service: Service, request: Request) -> Response:
    """Answer recommendations that say whether the person is new."""
    given = COURSE.read(request.query)
    new = not service.home.answerer.knows(given.user_id)
    slate = _slate_by_model(service, request, given)
    answer = ColdStart(
        user_id=given.user_id,
        new_user=new,
        source=NEW_USER if new else MODEL,
        recommendations=named_scores(slate),
    )
    return json_response(answer)


@operations.route(
    "POST",
    "/api/products/{product_id}/view",
    parameters=VIEW,
    body=ViewBody,
    answer=ViewAnswer,
    refusals=(400, 403, 408, 413, 415, 503),
    legacy=True,
)
async def view(service: Service, request: Request) -> Response:
    """Record a view and answer what to show next.

    Who views is said in the address or in the body.
    """
    given = VIEW.read(request.query)
    user_id = _viewer(await request.body()) if given.user_id is None else given.user_id
    product = path_id(request.path["product_id"], "product_id")
    event = {"user_id": user_id, "item_id": product, "type": "view"}
    receipt = await recorded(service.home, [event], service.clock(), idempotency_key(request))
    if receipt.rejected:
        raise InvalidEventError(receipt.events[0].reason or "", field=receipt.events[0].field)
    slate = await service.answered(lambda: _slate(service, request, user_id, given, TAKING_TURNS))
    answer = ViewAnswer(
        recorded=True,
        product_id=product,
        user_id=user_id,
        state_seq=slate.versions.state_seq,
        recommendations=named_scores(slate),
    )
    return json_response(answer)


@operations.route(
    "GET",
    "/api/products/{product_id}/view",
    parameters=VIEW,
    answer=ViewAnswer,
    refusals=(400, 503),
    legacy=True,
)
async def view_by_get(service: Service, request: Request) -> Response:
    """Record a view and answer what to show next; the tutorial's clients do it by GET."""
    return await view(service, request)


@operations.route(
    "POST",
    "/api/record_engagement",
    body=EngagementBody,
    answer=Success,
    refusals=(400, 403, 408, 413, 415, 503),
    legacy=True,
)
async def record_engagement(service: Service, request: Request) -> Response:
    """Record that a person took notice of an item, as the course lesson has it."""
    try:
        given = msgspec.json.decode(await request.body(), type=EngagementBody)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise unreadable(error, kind=InvalidEventError) from error
    fields = msgspec.to_builtins(given)
    event = {"type": fields.pop("engagement_type"), **fields}
    receipt = await recorded(service.home, [event], service.clock(), idempotency_key(request))
    if receipt.rejected:
        raise InvalidEventError(receipt.events[0].reason or "", field=receipt.events[0].field)
    return json_response(Success())


def _viewer(body: bytes) -> str:
    """Return who views, as the body says it; raise `InvalidEventError`."""
    try:
        given = msgspec.json.decode(body, type=ViewBody) if body.strip() else ViewBody()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidEventError(f"the body does not say who views: {error}", field="user_id") from error
    return checked_id(given.user_id, "user_id", InvalidEventError)


def _updated(artifact: Artifact | None) -> str | None:
    return None if artifact is None else format_moment(artifact.manifest.created_at)


def _slate(
    service: Service, request: Request, user_id: str, given: ShopParameters, scenario: Scenario
) -> Slate:
    asked = RecommendParameters(k=given.k, filter=given.filter, boost=given.boost, scenario=scenario.name)
    query = recommend_query(asked, user_id, service.clock())
    return service.home.answerer.recommend(query, seconds=service.seconds_for(request))


def _slate_by_model(service: Service, request: Request, given: CourseParameters) -> Slate:
    category = given.context.get("category")
    asked = RecommendParameters(
        k=given.k,
        model=given.model,
        context=given.context,
        filter=given.filter,
        boost=given.boost,
        category=(category,) if category else (),
    )
    query = recommend_query(asked, given.user_id, service.clock())
    try:
        return service.home.answerer.recommend(query, seconds=service.seconds_for(request))
    except UnknownModelError as error:
        known = ", ".join(service.home.answerer.model_names())
        detail = f"Model type {given.model!r} not found; there are {known}"
        raise HttpError(400, detail, kind="unknown-model", field="model") from error
