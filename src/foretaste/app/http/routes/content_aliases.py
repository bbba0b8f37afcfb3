"""Paths of the content platform: each mapped to the canonical operation, its answer reshaped."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from foretaste.app.home import Home
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.queries import path_id
from foretaste.app.http.routes.events import acknowledgement, idempotency_key, recorded
from foretaste.app.http.routes.models import serving_version
from foretaste.app.http.service import Service
from foretaste.app.online_quality import measured_online
from foretaste.domain.errors import InvalidEventError
from foretaste.events.context import flattened
from foretaste.events.moments import format_moment
from foretaste.events.parts import parts_of
from foretaste.serving.preferences import Preference
from foretaste.serving.profile import Profile
from foretaste.serving.recorder import Receipt
from foretaste.training.online_quality import QualityWindow

operations: Operations[Service] = Operations("Other systems' paths")
_object = msgspec.json.Decoder(dict[str, Any])
DEVICE = "device_type"


class InteractionContext(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the moment; further members may be given."""

    topics: list[str] = []
    source: str | None = None


class InteractionBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a person did with an item."""

    user_id: str | int
    item_id: str | int
    interaction_type: str
    rating: float | None = None
    context: InteractionContext = InteractionContext()
    session_id: str | None = None
    device_type: str | None = None
    event_id: str | None = None
    timestamp: str | int | float | None = None


class LearntPreferences(msgspec.Struct, frozen=True, kw_only=True):
    """The share of each in what a person liked lately, in percent."""

    topics: dict[str, float]
    sources: dict[str, float]
    time_of_day: dict[str, float]
    weekdays: dict[str, float]


class PersonProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What was learnt of a person."""

    user_id: str
    preferences: LearntPreferences
    interaction_count: int
    interactions_by_type: dict[str, int]
    last_activity: str | None


class ModelMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """One version: what it learnt from, when, and how good it was on held-out events.

    `learnt_until` is the moment of the last event it learnt from, `aliases` are those that name it.
    """

    model: str
    last_updated: str
    serving: bool
    aliases: tuple[str, ...]
    sources: tuple[str, ...]
    events: int
    users: int
    items: int
    learnt_until: str | None
    seed: int
    metrics: dict[str, Any]


class AllModelMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """The metrics of all versions by their names, and which one answers."""

    serving: str
    models: dict[str, ModelMetrics]


class EvaluationMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """How good the version that answers was on held-out events, and how good answers turned out to be.

    `offline` is empty without a trained version. `online` has the last hour, day and week, of what is in
    the latest 20,000 records of what was shown; `online_since` is the earliest of these.
    """

    model_version: str
    evaluated_at: str | None
    offline: dict[str, Any]
    online: tuple[QualityWindow, ...]
    online_since: str | None


@operations.route(
    "POST",
    "/interaction",
    body=InteractionBody | list[InteractionBody],
    answer=Receipt,
    status=202,
    refusals=(400, 403, 408, 413, 415, 503),
    legacy=True,
)
async def interaction(service: Service, request: Request) -> Response:
    """Record an interaction: `POST /events` for clients that send `interaction_type` and `device_type`.

    Device, topics and source become the event's context, lists in it one text with `|` between, of as many
    as fit in 256 bytes, and objects in it members called `location.city`.
    """
    parts = parts_of(await request.body(), "events", InvalidEventError)
    key = idempotency_key(request)
    raws = [_event(part) for part in parts]
    return acknowledgement(await recorded(service.home, raws, service.clock(), key))


@operations.route("GET", "/profile/{user_id}", answer=PersonProfile, refusals=(400, 404), legacy=True)
async def profile(service: Service, request: Request) -> Response:
    """Answer what was learnt of a person: preferred topics, sources and times, counts, last activity."""
    user_id = path_id(request.path["user_id"], "user_id")
    return json_response(_learnt(await asyncio.to_thread(service.home.profiler.profile, user_id)))


@operations.route("GET", "/metrics/models", answer=AllModelMetrics, legacy=True)
async def model_metrics(service: Service, _: Request) -> Response:
    """Say of every trained version how good it was and when it was last updated."""
    return json_response(await asyncio.to_thread(_all_metrics, service.home))


@operations.route("GET", "/evaluation/metrics", answer=EvaluationMetrics, legacy=True)
async def evaluation_metrics(service: Service, _: Request) -> Response:
    """Say how good answers are: those of this version on held-out events, and those that were shown of late.

    Online, a slate counts as clicked if the person took something from it within a day, and a person's next
    event within an hour as a hit if its item stood in their latest slate. Slates of unknown people and of
    similar items are not counted.
    """
    return json_response(await asyncio.to_thread(_evaluated, service.home, service.clock()))


def _event(part: msgspec.Raw) -> msgspec.Raw | Mapping[str, Any]:
    """Return an interaction as an event; what cannot be one is rejected by the event's own check."""
    try:
        fields = _object.decode(part)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return part
    device = fields.pop(DEVICE, None)
    context = fields.get("context") or {}
    if not isinstance(context, dict):
        return part
    context = flattened(context)
    if device is not None:
        context = {**context, DEVICE: device}
    return {**fields, "context": context}


def _learnt(found: Profile) -> PersonProfile:
    known = found.preferences
    return PersonProfile(
        user_id=found.user_id,
        preferences=LearntPreferences(
            topics=_shares(known.topics),
            sources=_shares(known.sources),
            time_of_day=_shares(known.hours),
            weekdays=_shares(known.weekdays),
        ),
        interaction_count=found.total_events,
        interactions_by_type=found.events_by_type,
        last_activity=found.last_activity_at,
    )


def _shares(preferences: Sequence[Preference]) -> dict[str, float]:
    return {preference.name: preference.percentage for preference in preferences}


def _evaluated(home: Home, now: int) -> EvaluationMetrics:
    artifact = home.artifact
    online = measured_online(home, now)
    return EvaluationMetrics(
        model_version=serving_version(home),
        evaluated_at=None if artifact is None else format_moment(artifact.manifest.created_at),
        offline={} if artifact is None else artifact.manifest.metrics,
        online=online.windows,
        online_since=None if online.since is None else format_moment(online.since),
    )


def _all_metrics(home: Home) -> AllModelMetrics:
    versions = home.registry.versions() if home.registry is not None else []
    aliases = home.registry.aliases() if home.registry is not None else {}
    serving = serving_version(home)
    described = {
        manifest.version: ModelMetrics(
            model=manifest.name,
            last_updated=format_moment(manifest.created_at),
            serving=manifest.version == serving,
            aliases=tuple([alias for alias, version in aliases.items() if version == manifest.version]),
            sources=tuple(manifest.models),
            events=manifest.window.get("events", 0),
            users=manifest.n_users,
            items=manifest.n_items,
            learnt_until=_moment(manifest.window.get("last_time")),
            seed=manifest.seed,
            metrics=manifest.metrics,
        )
        for manifest in versions
    }
    return AllModelMetrics(serving=serving, models=described)


def _moment(micros: int | None) -> str | None:
    return None if micros is None else format_moment(micros)
