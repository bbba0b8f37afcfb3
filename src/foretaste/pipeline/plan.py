"""Which sources answer in a context, and with what weights: follows from artifact and scenario alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from foretaste.domain.arrays import Doubles, Int64s
from foretaste.models.context_popularity import ContextPopularity
from foretaste.models.interface import Model, Moment
from foretaste.models.live_model import SameForEveryone
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.model_names import sources_called
from foretaste.pipeline.scenario import Scenario
from foretaste.pipeline.view import View
from foretaste.ranking.contexts import context_at


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Sources with their models; `weights` float64 [n_sources + 1] belong to them and, last, the boost.

    `own`, int64: which of them tell something of the person (or item) asked about; `is_told`: which can name
    past items.
    """

    sources: tuple[str, ...]
    models: tuple[Model, ...]
    weights: Doubles
    own: Int64s
    is_told: tuple[bool, ...]
    heaviest: int = 0
    """The place of the source that weighs most."""
    named: "Named" = field(init=False)

    def __post_init__(self) -> None:
        """Begin to tell sources by bits."""
        object.__setattr__(self, "named", Named(self.sources))

    def only(self, places: Sequence[int]) -> "Plan":
        """Return the plan of the sources at `places`, rising, of which the heaviest is one."""
        return Plan(
            sources=tuple(self.sources[place] for place in places),
            models=tuple(self.models[place] for place in places),
            weights=self.weights[[*places, -1]],
            own=np.flatnonzero(np.isin(places, self.own)),
            is_told=tuple(self.is_told[place] for place in places),
            heaviest=list(places).index(self.heaviest),
        )


class Named(dict[int, tuple[str, ...]]):
    """The sources whose bits are set, the first one's being 1; written down when they are first asked for."""

    def __init__(self, sources: tuple[str, ...]) -> None:
        super().__init__()
        self._sources = sources

    def __missing__(self, bits: int) -> tuple[str, ...]:
        """Return the sources of `bits`."""
        named = self[bits] = tuple(source for at, source in enumerate(self._sources) if bits >> at & 1)
        return named


def plan_of(
    model: str | None, view: View, length: int, *, in_session: bool, moment: Moment | None = None
) -> Plan:
    """Return who answers where the history has `length` events.

    Of strangers perhaps nothing is known at the `moment` that tells; then others than those that would hear
    it answer. Raises `UnknownModelError` if the artifact lacks the `model` named.
    """
    silent = () if length or moment is None else _silent(view.artifact, moment)
    asked = (view.scenario, model, context_at(length, in_session), silent)
    plan: Plan | None = view.artifact.memo.get(asked)
    if plan is None:
        plan = view.artifact.memo[asked] = _made(
            model, view.artifact, view.scenario, length, in_session=in_session, silent=silent
        )
    return plan


def _silent(artifact: Artifact, moment: Moment) -> tuple[str, ...]:
    """Return the sources that live on circumstances and hear none."""
    return tuple(
        [
            source
            for source, model in artifact.models.items()
            if isinstance(model, ContextPopularity) and not model.audience(moment)
        ]
    )


def is_kind(artifact: Artifact, source: str, kinds: Sequence[str]) -> bool:
    """Return whether `kinds` names the source itself or the kind of its model."""
    return source in kinds or artifact.models[source].name in kinds


def _made(
    model: str | None,
    artifact: Artifact,
    scenario: Scenario,
    length: int,
    *,
    in_session: bool,
    silent: tuple[str, ...],
) -> Plan:
    sources = _sources(model, artifact, scenario, length, in_session=in_session, silent=silent)
    models = tuple(artifact.models[source] for source in sources)
    weights = _weights(artifact, scenario, sources, artifact.blend.row(length, in_session=in_session))
    return Plan(
        sources=sources,
        models=models,
        weights=weights,
        own=np.flatnonzero([not is_kind(artifact, source, scenario.cold_sources) for source in sources]),
        is_told=tuple(not isinstance(model, SameForEveryone) for model in models),
        heaviest=int(weights[:-1].argmax()),
    )


def _sources(
    model: str | None,
    artifact: Artifact,
    scenario: Scenario,
    length: int,
    *,
    in_session: bool,
    silent: tuple[str, ...],
) -> tuple[str, ...]:
    """Return the sources that answer: of those wanted those that the context hears, else all.

    Where the artifact has none of those wanted, those that need no history answer, or else all of it. Those
    that are `silent` leave it to others.
    """
    wanted = scenario.sources
    named = None if model is None else sources_called(model, artifact)
    if named is not None:
        return named
    if not length and scenario.history != "nothing":
        wanted = scenario.cold_sources
    on = tuple(
        source
        for source in artifact.models
        if source not in silent and _factor(artifact, scenario, source) > 0.0
    )
    found = tuple(source for source in on if wanted == "all" or is_kind(artifact, source, wanted))
    say = artifact.blend.heard(length, in_session=in_session)
    heard = tuple(source for source in found if source in say)
    cold = tuple(source for source in on if is_kind(artifact, source, scenario.cold_sources))
    return heard or found or cold or tuple(artifact.models)


def _factor(artifact: Artifact, scenario: Scenario, source: str) -> float:
    """Return what the scenario multiplies a source's weight by."""
    weights = scenario.weights
    return weights.get(source, weights.get(artifact.models[source].name, 1.0))


def _weights(artifact: Artifact, scenario: Scenario, sources: tuple[str, ...], row: Doubles) -> Doubles:
    """Return the blend's weights of `sources` as the scenario changes them; alike where it gives none any."""
    learnt = dict(zip(artifact.blend.sources, row.tolist(), strict=False))
    weights = np.array([*(learnt.get(source, 0.0) for source in sources), row[-1]])
    if not weights[:-1].any():
        weights[:-1] = 1.0
    if scenario.weights:
        weights[:-1] *= [_factor(artifact, scenario, source) for source in sources]
    return weights
