"""Many people's answers of one moment: what can be worked out for all of them at once."""

from collections.abc import Sequence

from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State
from foretaste.models.interface import ManyScorer, Moment
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.known import KnownPeople
from foretaste.retrieval.kept_rows import put_scores

TOGETHER = 64
"""So many people are scored at once; `KnownPeople` has to keep as many."""


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
            put_scores(history, model, basis, scores)
