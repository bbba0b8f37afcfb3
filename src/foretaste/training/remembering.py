"""What an earlier search chose, taken over where the sources are still the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from foretaste.domain.artifact import Trial
from foretaste.models.cold_items import ColdItemsConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.interface import Learner
from foretaste.pipeline.artifact import Artifact
from foretaste.training.config import TrainConfig
from foretaste.training.search_space import Values, with_values
from foretaste.training.tune import Tuned

Chosen = Mapping[str, Values]
"""Values by source."""


@dataclass(frozen=True, slots=True)
class TuningRecord:
    """What tuning chose, by source, and all that it tried."""

    chosen: Chosen
    trials: tuple[Trial, ...]


def remembered_by(champion: Artifact | None, config: TrainConfig) -> Chosen:
    """Return what tuning chose for `champion`, if the configuration wants it."""
    if champion is None or not config.remember or config.sources is not None:
        return {}
    return champion.manifest.tuned


def taken_over(sources: Mapping[str, Learner], champion: Artifact | None, chosen: Chosen) -> Chosen:
    """Return those of the `chosen` values that fit the learners of `sources` as they are.

    A source whose learner picks its model itself has them tried by the search instead.
    """
    if champion is None:
        return {}
    return {
        source: values
        for source, values in chosen.items()
        if source in sources
        and source in champion.models
        and type(sources[source]) is type(_plain(champion.models[source].config))
    }


def _plain(config: Any) -> Any:
    """Return the configuration that tuning saw: of a model that was opened to new items, its base's."""
    return config.base if isinstance(config, ColdItemsConfig) else config


def with_chosen(sources: Mapping[str, Learner], chosen: Chosen) -> dict[str, Learner]:
    """Return the learners with the values chosen for them, each taken as it is."""

    def settled(learner: Learner, values: Values) -> Learner:
        if isinstance(learner, IALSConfig) and "regularization" in values:
            learner = msgspec.structs.replace(learner, chosen_beside=None)
        found: Learner = with_values(learner, values)
        return found

    return {source: settled(learner, chosen.get(source, {})) for source, learner in sources.items()}


def recorded(taken: Chosen, tuned: Tuned | None, *, keep: bool) -> TuningRecord:
    """Return what the manifest says of tuning.

    Kept are the values taken over and, with `keep`, those chosen now: what training's own small search
    chooses is found again each time, so that the same log and seed give the same model.
    """
    chosen: dict[str, Values] = dict(taken)
    if tuned is None:
        return TuningRecord(chosen, ())
    for source, values in tuned.chosen.items() if keep else ():
        chosen[source] = {**chosen.get(source, {}), **values}
    return TuningRecord(chosen, tuned.trials)
