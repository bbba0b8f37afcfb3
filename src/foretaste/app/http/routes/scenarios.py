"""`/scenarios`: the recipes that answer, changed while they do."""

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from foretaste.app.home import Home
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.asgi.parameters import Parameters
from foretaste.app.http.asgi.problems import HttpError
from foretaste.app.http.service import Service
from foretaste.app.previewing import MOST_REQUESTS, Preview, previewed
from foretaste.app.scenario_book import Origin
from foretaste.domain.errors import InvalidInputError
from foretaste.pipeline.recipes import recipe_of
from foretaste.pipeline.scenario import Scenario, find_scenario
from foretaste.serving.shadows import ShadowReport

operations: Operations[Service] = Operations("Scenarios")
REST = 1.0
"""A preview rests as long as it works, so that it takes half a core from answers at most."""


def _member(field: msgspec.structs.FieldInfo) -> tuple[str, Any, Any]:
    """Return a key of recipes as a member of a body: sets as lists, in an order that is always the same."""
    if isinstance(field.default, frozenset):
        return field.name, tuple[str, ...], tuple(sorted(field.default))
    default = {} if field.default is msgspec.NODEFAULT else field.default
    return field.name, field.type, msgspec.field(default_factory=dict) if default == {} else default


RecipeBody = msgspec.defstruct(
    "Recipe",
    [_member(field) for field in msgspec.structs.fields(Scenario) if field.name != "name"],
    kw_only=True,
    forbid_unknown_fields=True,
    namespace={
        "__doc__": "A recipe; what it does not say is as in the shipped one of its name, or as in `home`."
    },
)


class ScenarioDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that serves: where it comes from, the version of its recipe, and all of it.

    `shadow` is what came of the comparison with its shadow, null without one.
    """

    name: str
    origin: Origin
    version: str
    recipe: dict[str, Any]
    shadow: ShadowReport | None


class ScenarioSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that serves in short. One that `needs_items` is asked with `item_id` or `item_ids`."""

    name: str
    origin: Origin
    version: str
    title: str
    needs_items: bool
    k: int
    fallback: tuple[str, ...]
    shadow: str


class ScenarioList(msgspec.Struct, frozen=True, kw_only=True):
    """All scenarios by name.

    `wrong` says what is wrong with the `file` or with what was put, null for nothing; while something is,
    what was good before goes on.
    """

    file: str | None
    wrong: str | None
    scenarios: tuple[ScenarioSummary, ...]


class TakenBack(msgspec.Struct, frozen=True, kw_only=True):
    """What was put was taken back; `serving` is what answers under its name now, null where nothing does."""

    name: str
    serving: ScenarioDetail | None


class PreviewParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What a change is tried on."""

    requests: Annotated[int, Meta(ge=1, le=MOST_REQUESTS, description="How many of the latest requests.")] = (
        1_000
    )
    examples: Annotated[int, Meta(ge=0, le=100, description="How many lists are shown side by side.")] = 10
    of: (
        Annotated[
            str,
            Meta(max_length=64, description="The scenario whose requests they are; the one of that name."),
        ]
        | None
    ) = None


PREVIEW = Parameters(PreviewParameters)


@operations.route("GET", "/scenarios", answer=ScenarioList)
async def scenarios(service: Service, _: Request) -> Response:
    """List the scenarios."""
    return json_response(_list(service.home))


@operations.route("GET", "/scenarios/{name}", answer=ScenarioDetail, refusals=(404,))
async def scenario(service: Service, request: Request) -> Response:
    """Show a scenario with its whole recipe, and what came of its shadow."""
    name = request.path["name"]
    find_scenario(name, service.home.scenarios)
    return json_response(_detail(service.home, name))


@operations.route(
    "PUT",
    "/scenarios/{name}",
    body=RecipeBody,
    answer=ScenarioDetail,
    refusals=(400, 403, 408, 413, 415, 503),
)
async def put(service: Service, request: Request) -> Response:
    """Let a recipe serve under a name.

    It is checked first; the next answer is by it. It goes before the file's and the shipped one of its name,
    is kept, and reaches other replicas within seconds. What it does not say is as in the shipped one of its
    name, or else as in `home`.
    """
    name, given = request.path["name"], _recipe(await request.body())
    await asyncio.to_thread(service.home.scenario_book.put, name, given)
    return json_response(_detail(service.home, name))


@operations.route("DELETE", "/scenarios/{name}", answer=TakenBack, refusals=(400, 403, 404, 503))
async def delete(service: Service, request: Request) -> Response:
    """Take back what was put under a name.

    Then the file's serves again, or the shipped one.
    """
    name = request.path["name"]
    left = await asyncio.to_thread(service.home.scenario_book.delete, name)
    return json_response(TakenBack(name=name, serving=_detail(service.home, name) if left else None))


@operations.route("POST", "/scenarios/reload", answer=ScenarioList, refusals=(400, 403, 503))
async def reload(service: Service, _: Request) -> Response:
    """Look at the file now.

    It is looked at every two seconds anyway. 400 says what is wrong with it; what was good before goes on.
    """
    book = service.home.scenario_book
    await asyncio.to_thread(book.refresh)
    if book.file.error:
        raise HttpError(400, book.file.error, kind="invalid-input", field="scenarios_file")
    return json_response(_list(service.home))


@operations.route(
    "POST",
    "/scenarios/{name}/preview",
    parameters=PREVIEW,
    body=RecipeBody,
    answer=Preview,
    refusals=(400, 403, 404, 408, 413, 415, 503),
)
async def preview(service: Service, request: Request) -> Response:
    """Try a recipe on the latest requests of its name: what would be shown, beside what is shown now.

    Both are asked as of now. Nothing is kept or recorded. Takes seconds; one runs at a time.
    """
    given = PREVIEW.read(request.query)
    home, recipe = service.home, _recipe(await request.body())
    changed = home.scenario_book.checked(request.path["name"], recipe)
    found = await asyncio.to_thread(
        previewed,
        home,
        changed,
        of=given.of,
        requests=given.requests,
        examples=given.examples,
        rest=REST,
        clock=service.clock,
    )
    return json_response(found)


def _recipe(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(
            f'the body must be a recipe as a JSON object, as {{"diversity_lambda": 0.5}}: {error}',
            field="body",
        ) from error


def _list(home: Home) -> ScenarioList:
    book, shelf = home.scenario_book, home.scenario_book.shelf
    return ScenarioList(
        file=None if book.file.path is None else book.file.path.name,
        wrong=book.complaint(),
        scenarios=tuple(
            ScenarioSummary(
                name=name,
                origin=shelf.origins[name],
                version=one.version,
                title=one.title,
                needs_items=one.needs_items,
                k=one.k,
                fallback=one.fallback,
                shadow=one.shadow,
            )
            for name, one in sorted(shelf.scenarios.items())
        ),
    )


def _detail(home: Home, name: str) -> ScenarioDetail:
    shelf = home.scenario_book.shelf
    one = shelf.scenarios[name]
    return ScenarioDetail(
        name=name,
        origin=shelf.origins[name],
        version=one.version,
        recipe=recipe_of(one),
        shadow=home.answerer.shadows.report(name, one.shadow) if one.shadow else None,
    )
