"""`POST /personalize`: candidates that the client brings along, put in order for a person."""

import time
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from foretaste.app.arguments import as_context, as_texts, new_seed
from foretaste.app.http.answers import Recommendations, recommendations_of
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.bodies import read_body
from foretaste.app.http.queries import path_id
from foretaste.app.http.service import Service
from foretaste.app.personalizing import candidates_of
from foretaste.domain.query import Query
from foretaste.domain.slate import Slate
from foretaste.events.context import Told
from foretaste.ports.telemetry import Telemetry

operations: Operations[Service] = Operations("Recommendations")

USUAL_RESULTS = 10


class DiversityParameters(msgspec.Struct, frozen=True, kw_only=True):
    """How various the answer is. A threshold of 0 is pure relevance, of 1 pure variety."""

    enable_diversity: bool | None = True
    topic_diversity_threshold: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_results: Annotated[int, Meta(ge=1, le=1000)] | None = USUAL_RESULTS


class PersonalizeBody(msgspec.Struct, frozen=True, kw_only=True):
    """A person and candidates: ids, or items of which `content` is the text and `topics` are categories.

    `context` is what is known of the moment, as `device_type`, `time_of_day`, `location`; a member of an
    object in it is called `location.city`, and a list becomes one text with `|` between. `filter` and
    `boost` are as for `GET /recommend`, one or several; they look at what the catalog says of an item, or
    else the body. An option that is null is as good as left out.
    """

    user_id: str | int
    scenario: str = "home"
    candidates: list[str | int | dict[str, Any]]
    context: dict[str, Told] | None = None
    diversity_params: DiversityParameters | None = None
    filter: str | tuple[str, ...] = ()
    boost: str | tuple[str, ...] = ()
    explain: bool = False


_read = msgspec.json.Decoder(PersonalizeBody).decode


@operations.route(
    "POST", "/personalize", body=PersonalizeBody, answer=Recommendations, refusals=(400, 404, 408, 413, 415)
)
async def personalize(service: Service, request: Request) -> Response:
    """Rank the candidates that the body brings along, known or never seen before, for a person now.

    A known item is what the catalog says of it; a new one is judged by its text, topics and attributes,
    and is not kept. Deleted, hidden and sold-out items are left out and counted as `filtered`, and so is what
    does not match `filter`.
    """
    began = time.perf_counter()
    given = read_body(_read, await request.body())
    wanted = given.diversity_params or DiversityParameters()
    threshold = wanted.topic_diversity_threshold
    variety = 1.0 if wanted.enable_diversity is False else None if threshold is None else 1.0 - threshold
    query = Query(
        now=service.clock(),
        seed=new_seed(),
        user_id=path_id(str(given.user_id), "user_id"),
        scenario=given.scenario,
        k=wanted.max_results or USUAL_RESULTS,
        context=as_context(given.context),
        filter=as_texts("filter", given.filter),
        boost=as_texts("boost", given.boost),
        diversity_lambda=variety,
        explain=given.explain,
    )
    candidates = candidates_of([str(each) if isinstance(each, int) else each for each in given.candidates])
    answer, seconds = service.home.answerer.personalize, service.seconds_for(request)
    slate = await service.answered(lambda: answer(query, candidates, seconds=seconds))
    _count(service.home.telemetry, slate, time.perf_counter() - began)
    return json_response(recommendations_of(slate))


def _count(telemetry: Telemetry, slate: Slate, seconds: float) -> None:
    """Count an answer by the names that the content platform's dashboards use."""
    telemetry.count("personalization_requests_total")
    telemetry.observe("personalization_request_duration_seconds", seconds)
    telemetry.count("personalization_recommendations_total", len(slate.items))
