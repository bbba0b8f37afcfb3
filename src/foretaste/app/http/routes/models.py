"""`/models`: what was trained, and which of it answers."""

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from foretaste.app.home import CHAMPION, Home
from foretaste.app.http.answers import Models, ModelVersion, Promotion
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.asgi.parameters import Parameters
from foretaste.app.http.service import Service
from foretaste.domain.artifact import ArtifactManifest
from foretaste.domain.errors import NoModelError, UnknownModelError
from foretaste.events.moments import format_moment
from foretaste.ports.model_registry import ModelRegistry
from foretaste.serving.untrained import UNTRAINED

operations: Operations[Service] = Operations("Models")


class AliasParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Which alias."""

    alias: Annotated[str, Meta(max_length=64, description="The alias to move.")] = CHAMPION


ALIAS = Parameters(AliasParameters)


@operations.route("GET", "/models", answer=Models)
async def models(service: Service, _: Request) -> Response:
    """List the trained versions, and say which one answers."""
    return json_response(await asyncio.to_thread(_models, service.home))


@operations.route(
    "POST", "/models/{name}/promote", parameters=ALIAS, answer=Promotion, refusals=(400, 403, 404, 503)
)
async def promote(service: Service, request: Request) -> Response:
    """Let a version answer.

    `name` is a version. The next answer comes from it; none is lost meanwhile.
    """
    alias = ALIAS.read(request.query).alias
    return json_response(await asyncio.to_thread(_promote, service.home, request.path["name"], alias))


@operations.route("POST", "/models/{name}/rollback", answer=Promotion, refusals=(403, 404, 503))
async def rollback(service: Service, request: Request) -> Response:
    """Return to the version that answered before.

    `name` is an alias (`champion`) or a model's name, whose champion is meant.
    """
    return json_response(await asyncio.to_thread(_rollback, service.home, request.path["name"]))


def serving_version(home: Home) -> str:
    """Return the version that answers."""
    return home.artifact.version if home.artifact is not None else UNTRAINED


def _registry(home: Home) -> ModelRegistry:
    if home.registry is None:
        raise NoModelError("this service is in memory and keeps no models; serve a home for that")
    return home.registry


def _models(home: Home) -> Models:
    versions = home.registry.versions() if home.registry is not None else []
    aliases = home.registry.aliases() if home.registry is not None else {}
    damaged = home.registry.damaged() if home.registry is not None else {}
    described = tuple(_described(manifest) for manifest in versions)
    return Models(
        serving=serving_version(home),
        available=home.answerer.model_names(),
        aliases=aliases,
        versions=described,
        damaged=tuple(damaged),
    )


def _promote(home: Home, version: str, alias: str) -> Promotion:
    _registry(home).promote(version, alias)
    home.refresh()
    return Promotion(alias=alias, version=version, serving=serving_version(home))


def _rollback(home: Home, name: str) -> Promotion:
    registry = _registry(home)
    aliases = registry.aliases()
    if name not in aliases and name not in {manifest.name for manifest in registry.versions()}:
        known = ", ".join(sorted(aliases)) or "none yet"
        raise UnknownModelError(f"no alias or model is called {name[:80]!r}; the aliases are {known}")
    alias = name if name in aliases else CHAMPION
    version = registry.rollback(alias)
    home.refresh()
    return Promotion(alias=alias, version=version, serving=serving_version(home))


def _described(manifest: ArtifactManifest) -> ModelVersion:
    return ModelVersion(
        version=manifest.version,
        name=manifest.name,
        created_at=format_moment(manifest.created_at),
        seed=manifest.seed,
        models=tuple(manifest.models),
        n_users=manifest.n_users,
        n_items=manifest.n_items,
        metrics=manifest.metrics,
        hash=manifest.hash,
        tuned=manifest.tuned,
        trials=len(manifest.trials),
    )
