"""Every source fitted; one that fails is left out, and the others go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from foretaste.domain.errors import NoModelError
from foretaste.domain.interactions import Interactions
from foretaste.evaluation.judgement import Advance, unheard
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.interface import Learner, Model


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Models by source, why others failed, and how long each took in seconds."""

    models: Mapping[str, Model]
    failures: Mapping[str, str]
    seconds: Mapping[str, float]


def fit_sources(
    learners: Mapping[str, Learner],
    interactions: Interactions,
    catalog: CatalogColumns,
    *,
    seed: int,
    advance: Advance = unheard,
) -> Fitted:
    """Fit every learner; raise `NoModelError` where all of them fail."""
    models: dict[str, Model] = {}
    failures: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for number, (source, learner) in enumerate(learners.items()):
        advance(number / len(learners))
        began = perf_counter()
        try:
            models[source] = learner.fit(interactions, seed, catalog)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one learner must not end the others
            failures[source] = f"{type(error).__name__}: {error}"
        seconds[source] = round(perf_counter() - began, 3)
    advance(1.0)
    if not models:
        reasons = "; ".join(f"{source}: {reason}" for source, reason in failures.items())
        raise NoModelError(f"none of the sources could be fitted: {reasons}")
    return Fitted(models, failures, seconds)
