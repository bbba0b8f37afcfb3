"""`/recommendations/{recommendation_id}`: a past answer, its inputs, and the answer given again."""

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from foretaste.app.home import Home
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.asgi.parameters import Parameters
from foretaste.app.http.service import Service
from foretaste.app.reproducing import given_again, recorded
from foretaste.domain.item import Attribute
from foretaste.domain.query import Query
from foretaste.domain.slate import Exposure, ScoredItem, Versions
from foretaste.events.moments import format_moment

operations: Operations[Service] = Operations("Recommendations")


class ShownItem(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a past answer."""

    item_id: str
    item_idx: int
    rank: int
    score: float
    propensity: float


class GivenAgain(msgspec.Struct, frozen=True, kw_only=True):
    """The answer computed anew from its inputs. `identical`: same items, scores and odds, bit for bit."""

    identical: bool
    items: tuple[ScoredItem, ...]


class PastRecommendation(msgspec.Struct, frozen=True, kw_only=True):
    """A past answer: what was shown, the versions and the request it was made from.

    `shown_at` is after `generated_at` where the answer came from the cache.
    `query` is null where the candidates were the caller's own; such an answer cannot be given again. `person`
    are the attributes that its filters and boosts asked for. `left_out` is what there was no time for, then
    and in the answer given again.
    """

    recommendation_id: str
    user_id: str | None
    scenario: str
    source: str
    generated_at: str
    shown_at: str
    versions: Versions
    query: Query | None
    circumstances: tuple[str, ...]
    person: dict[str, Attribute]
    left_out: tuple[str, ...]
    items: tuple[ShownItem, ...]
    reproduced: GivenAgain | None


class ReproduceParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Whether to compute it anew."""

    reproduce: Annotated[
        bool,
        Meta(description="Compute the answer anew from the log: about a second for a million events."),
    ] = False


REPRODUCE = Parameters(ReproduceParameters)


@operations.route(
    "GET",
    "/recommendations/{recommendation_id}",
    parameters=REPRODUCE,
    answer=PastRecommendation,
    refusals=(400, 404),
)
async def recommendation(service: Service, request: Request) -> Response:
    """Show a past answer with its inputs, and give it again if asked.

    Records are kept as long as the setting `exposure_days` says.
    """
    given = REPRODUCE.read(request.query)
    name = request.path["recommendation_id"]
    return json_response(await asyncio.to_thread(_past, service.home, name, reproduce=given.reproduce))


def _past(home: Home, recommendation_id: str, *, reproduce: bool) -> PastRecommendation:
    exposure = recorded(home, recommendation_id)
    again = None
    if reproduce:
        ((_, found),) = given_again(home, [exposure])
        again = GivenAgain(identical=found.identical, items=found.slate.items)
    return PastRecommendation(
        recommendation_id=exposure.recommendation_id,
        user_id=exposure.user_id,
        scenario=exposure.scenario,
        source=exposure.source,
        generated_at=format_moment(exposure.made_at or exposure.time),
        shown_at=format_moment(exposure.time),
        versions=exposure.versions,
        query=exposure.query,
        circumstances=exposure.circumstances,
        person=exposure.person,
        left_out=exposure.left_out,
        items=_shown(home, exposure),
        reproduced=again,
    )


def _shown(home: Home, exposure: Exposure) -> tuple[ShownItem, ...]:
    names = home.answerer.names.of("item")
    places = zip(exposure.items, exposure.scores, exposure.propensities, strict=True)
    return tuple(
        ShownItem(item_id=names[item], item_idx=item, rank=rank, score=score, propensity=propensity)
        for rank, (item, score, propensity) in enumerate(places, 1)
    )
