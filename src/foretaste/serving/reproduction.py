"""Past answers, given again from the log: the same inputs, so the same answer."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import msgspec

from foretaste.domain.errors import NotFoundError
from foretaste.domain.slate import ClickEdition, Exposure, Slate
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.compose import answer
from foretaste.pipeline.fresh_clicks import FreshClicks
from foretaste.pipeline.identity import make_id
from foretaste.pipeline.scenario import SHIPPED, Scenario
from foretaste.pipeline.timekeeping import Repeating
from foretaste.pipeline.view import View
from foretaste.ports.event_log import EventLog
from foretaste.serving.named_items import named_items
from foretaste.serving.names import Names
from foretaste.serving.untrained import UNTRAINED, untrained_artifact

CHUNK = 200_000


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the inputs of past answers are found.

    `catalog_at` returns a version of the catalog, `artifact_of` a model by version and blend version,
    `recipe_of` a scenario by version; all raise `NotFoundError` where it is kept no more. `clicks_of` returns
    what its ranker knew of clicks then, `new_state` an empty state.
    """

    log: EventLog
    names: Names
    new_state: Callable[[], State]
    catalog_at: Callable[[int], CatalogColumns]
    artifact_of: Callable[[str, str], Artifact]
    clicks_of: Callable[[Artifact, ClickEdition | None], FreshClicks | None]
    recipe_of: Callable[[str], Scenario]


def reproduced(exposures: Iterable[Exposure], sources: Sources) -> Iterator[tuple[Exposure, Slate]]:
    """Yield each recorded answer, in the order of the state it was made from, with the answer given again.

    The log is folded once from its start, so many cost hardly more than the latest of them.

    Raises `NotFoundError` for an answer whose inputs are kept no more; the message says which.
    """
    state = sources.new_state()
    for exposure in sorted(exposures, key=lambda one: (one.versions.state_seq, one.recommendation_id)):
        fold_up_to(state, sources.log, exposure.versions.state_seq)
        yield exposure, _again(exposure, state, sources)


def scenario_of(exposure: Exposure, recipe_of: Callable[[str], Scenario]) -> Scenario:
    """Return the recipe that an answer was made by; `recipe_of` returns one by version.

    Raises `NotFoundError` where it is kept no more.
    """
    if exposure.versions.scenario_version:
        return recipe_of(exposure.versions.scenario_version)
    if exposure.recipe is not None:
        return msgspec.convert(exposure.recipe, Scenario)
    name = exposure.versions.scenario
    if name not in SHIPPED:
        raise NotFoundError(f"the scenario {name!r} of this answer is not known here", field="scenario")
    return SHIPPED[name]


def fold_up_to(state: State, log: EventLog, seq: int) -> None:
    """Fold the events of `log` into `state` that follow it, up to the one with number `seq`."""
    while state.seq < seq:
        events = log.read(state.seq, min(CHUNK, seq - state.seq))
        wanted = events.take(0, int(events.seq.searchsorted(seq, side="right")))
        if not len(wanted):
            return
        state.apply(wanted)


def _again(exposure: Exposure, state: State, sources: Sources) -> Slate:
    query, versions, names = exposure.query, exposure.versions, sources.names
    if query is None:
        raise NotFoundError(
            "the candidates of this answer were the caller's own and are not kept; it cannot be given again",
            field="recommendation_id",
        )
    if versions.artifact == UNTRAINED:
        artifact = untrained_artifact()
    else:
        artifact = sources.artifact_of(versions.artifact, versions.blend)
    scenario = scenario_of(exposure, sources.recipe_of)
    view = View(
        state=state,
        catalog=sources.catalog_at(versions.catalog_version),
        artifact=artifact,
        scenario=scenario,
        item_names=names.of("item"),
        type_names=names.of("type"),
        user=-1 if query.user_id is None else state.person(names.ordinal("user", query.user_id)),
        seeds=names.known("item", query.start_ids),
        namespace=versions.namespace,
        circumstances=exposure.circumstances,
        person=exposure.person,
        timekeeper=Repeating(exposure.left_out),
        clicks=sources.clicks_of(artifact, versions.clicks),
        **named_items(query, scenario, names),
    )
    made = answer(msgspec.structs.replace(query, now=exposure.made_at or query.now), view)
    as_recorded = msgspec.structs.replace(made.versions, scenario_version=versions.scenario_version)
    return msgspec.structs.replace(made, recommendation_id=make_id(query, as_recorded))
