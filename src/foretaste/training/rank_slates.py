"""The ranker of slates: learnt from what was shown and clicked, and taken only if it beats the blend."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import cast

import numpy as np

from foretaste.domain.errors import MissingExtraError
from foretaste.domain.query import Query
from foretaste.evaluation.judgement import Advance, unheard
from foretaste.models.interface import Model
from foretaste.pipeline.artifact import Artifact, assemble
from foretaste.pipeline.reranking import BLEND, scored_among, slate_request
from foretaste.pipeline.view import View
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.slate_features import Columns, SlateRequest
from foretaste.ranking.slate_ranker import SlateRanker
from foretaste.ranking.traits import Traits, traits_of
from foretaste.training.evaluate import UNPUBLISHED, state_before
from foretaste.training.prepare import Prepared

FEWEST_SLATES, FEWEST_PEOPLE = 500, 100
"""With fewer slates that have a click, or fewer people, no ranker is learnt."""
MOST_SLATES = 10_000
"""The latest so many slates are asked about again; those before only tell what is liked, and by whom."""


@dataclass(frozen=True, slots=True, eq=False)
class RankerOutcome:
    """The ranker that may serve, or None; `words` say why."""

    ranker: SlateRanker | None
    words: str


def learn_slate_ranker(
    prepared: Prepared, models: Mapping[str, Model], blend: Blend, *, advance: Advance = unheard
) -> RankerOutcome:
    """Learn a ranker from the corpus's slates since the sources were fitted; None where it gains nothing.

    `models` were fitted on what is before `prepared.tune`, so that no feature of a slate knows its clicks.
    The ranker has to be ahead of the blend on the latest slates, by what it knew before them, surely: by the
    lower end of the 95 % interval.
    """
    shown = prepared.corpus.shown
    if shown is None or not prepared.timed or not len(prepared.events):
        return RankerOutcome(None, "no slates were logged: the blend orders")
    since = int(prepared.events.time[min(prepared.tune, len(prepared.events) - 1)])
    before, slates = _parted(shown, since)
    telling, people = len(slates.telling), len(np.unique(slates.user))
    if telling < FEWEST_SLATES or people < FEWEST_PEOPLE:
        return RankerOutcome(
            None,
            f"{telling} slates with clicks of {people} people are too few for a ranker "
            f"({FEWEST_SLATES} of {FEWEST_PEOPLE}): the blend orders",
        )
    try:
        learning = import_module("foretaste.ranking.learning_to_rank")  # LightGBM is optional
    except MissingExtraError as error:
        return RankerOutcome(None, f"{error.message}: the blend orders")
    artifact = assemble(models, blend, Calibration.flat(), UNPUBLISHED)
    traits = traits_of_corpus(prepared)
    columns = columns_of(artifact, traits)
    requests = requests_of(prepared, artifact, slates, traits, columns, advance=advance)
    ranker = cast(
        "SlateRanker",
        learning.learn_ranker(
            slates,
            requests,
            traits,
            columns,
            seed=prepared.seed,
            rival=f"score_{BLEND}",
            before=before,
        ),
    )
    report = ranker.report
    gain = (
        f"NDCG@10 of clicks {report.ranker:.4f}; as if all places were looked at alike {report.ahead:+.4f} "
        f"to the blend (at least {report.ahead_low:+.4f})"
    )
    if report.ahead_low <= 0.0:
        return RankerOutcome(None, f"{gain}: not surely better, the blend orders")
    return RankerOutcome(ranker, f"{gain}: the ranker orders the blend's best")


def traits_of_corpus(prepared: Prepared) -> Traits:
    """Return the traits of all items of the corpus, by ordinal."""
    items = list(prepared.corpus.catalog.items)
    return traits_of([*items, *[None] * (prepared.corpus.n_items - len(items))])


def columns_of(artifact: Artifact, traits: Traits) -> Columns:
    """Return the columns of the features under this artifact's blend."""
    return Columns(sources=(*artifact.blend.sources, BLEND), numbers=traits.number_names)


def requests_of(
    prepared: Prepared,
    artifact: Artifact,
    slates: ShownSlates,
    traits: Traits,
    columns: Columns,
    *,
    advance: Advance = unheard,
) -> list[SlateRequest]:
    """Return what the ranker would have been asked for each slate just before its moment, by replay."""
    state = state_before(prepared, prepared.tune)
    done, known = prepared.tune, len(traits.rows)
    scenario = prepared.config.scenario
    found = []
    for slate, now in enumerate(slates.time.tolist()):
        position = max(done, int(np.searchsorted(prepared.events.time, now, side="left")))
        state.apply(prepared.events.take(done, position))
        done = position
        items = slates.item[slates.start[slate] : slates.start[slate + 1]]
        query = Query(now=now, seed=0, k=len(items), scenario=scenario.name)
        view = View(
            state=state,
            catalog=prepared.corpus.catalog,
            artifact=artifact,
            scenario=scenario,
            item_names=prepared.corpus.item_names,
            type_names=prepared.corpus.type_names,
            user=int(slates.user[slate]),
            circumstances=prepared.corpus.people.of(int(slates.user[slate])),
        )
        ranked = scored_among(query, view, items)
        found.append(slate_request(ranked, np.arange(len(items)), query, view, columns, known=known))
        if slate % 100 == 0:
            advance(slate / len(slates))
    advance(1.0)
    return found


def _parted(shown: ShownSlates, since: int) -> tuple[ShownSlates, ShownSlates]:
    """Return what is before the latest slates from `since` on, and these; in order of time."""
    order = np.argsort(shown.time, kind="stable")
    order = order[shown.sizes[order] > 1]
    first = max(int(np.searchsorted(shown.time[order], since)), len(order) - MOST_SLATES)
    return shown.take(order[:first]), shown.take(order[first:])
