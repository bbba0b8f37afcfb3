"""Many people's answers of one moment: what can be worked out for all of them at once."""

from collections.abc import Sequence
from dataclasses import replace

from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State
from foretaste.models.held_still import HeldStill
from foretaste.models.interface import ManyScorer, Moment
from foretaste.models.live_model import SameForEveryone
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.known import KnownPeople

TOGETHER = 64
"""So many people are scored at once: as many as `KnownPeople` keeps in any catalog."""


def held_still(artifact: Artifact) -> Artifact:
    """Return `artifact` for answers of one state at one moment: what is the same for all is computed once."""
    models = {
        source: HeldStill(model, model.name) if isinstance(model, SameForEveryone) else model
        for source, model in artifact.models.items()
    }
    return replace(artifact, models=models)


def score_together(
    known: KnownPeople,
    state: State,
    catalog: CatalogColumns,
    artifact: Artifact,
    users: Sequence[int],
    now: int,
) -> None:
    """Work out, for at most `TOGETHER` people, what models score of their histories alone.

    `known` keeps it, and answers to them take it from there. It differs from one person's scores in the last
    bits only: the inner products of many are added up in another order than those of one.
    """
    histories = [known.of(state, user).history for user in dict.fromkeys(users)]
    asked = [history for history in histories if len(history)]
    moment = Moment(now=now, items=state.items, catalog=catalog, people=state.people)
    if not asked:
        return
    for source in artifact.blend.sources:
        model = artifact.models[source]
        if not isinstance(model, ManyScorer):
            continue
        basis = model.basis(moment)
        if basis is None:
            continue
        for history, scores in zip(asked, model.score_many(asked, moment), strict=True):
            history.memo[model] = (basis, scores)
