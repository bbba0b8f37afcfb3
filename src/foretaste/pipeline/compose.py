"""The composition that ships: query and view in, slate out, its stages open to training and evaluation."""

from dataclasses import dataclass

import msgspec
import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.kernel import kernel
from foretaste.domain.query import Query
from foretaste.domain.slate import Candidates, Slate, Versions
from foretaste.pipeline.arranging import placed
from foretaste.pipeline.boosting import boosted
from foretaste.pipeline.choosing import by_score
from foretaste.pipeline.conditions import matching_among
from foretaste.pipeline.flow import flow_of
from foretaste.pipeline.heading import heading
from foretaste.pipeline.identity import make_id
from foretaste.pipeline.presenting import places_of
from foretaste.pipeline.relaxing import relaxed
from foretaste.pipeline.reranking import ordered, reranked, scored_among
from foretaste.pipeline.scenario import with_recipe
from foretaste.pipeline.scoring import Scored, scored
from foretaste.pipeline.timekeeping import CHOICE
from foretaste.pipeline.view import View
from foretaste.ranking.contexts import is_in_session
from foretaste.ranking.normalize import standardize
from foretaste.ranking.samples import Sample


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Candidates by falling blended score (then by rising ordinal), before the slate is chosen.

    `item` int32 [n], `score` float32 [n]. Replay finds the place of the truth here; an item that is not
    listed was not a candidate.
    """

    item: Ordinals
    score: Floats


def answer(query: Query, view: View) -> Slate:
    """Return the slate for `query`: pure, bit-equal for equal arguments, no clock, no input or output.

    `source` is `personalized` (from the person's own history), `similar` (from the item of the query) or
    `trending` (nothing else had anything to say). Propensities are 1.0: nothing is drawn at random.
    Raises `UnknownModelError` for a model that the artifact lacks.
    """
    asked = with_recipe(query, view.scenario)
    return _presented(query, asked, view, ordered(asked, view))


def answer_among(query: Query, view: View, items: Ordinals, shown: View | None = None) -> Slate:
    """Return the slate for `query` made of `items` alone, ordinals each named once; else as `answer`.

    `filtered` counts those of them that a filter left out. `shown` is the view with the guests in its catalog
    and among its names, where it has any.
    """
    shown = shown or view
    plain = msgspec.structs.replace(query, filter=(), boost=())
    asked = with_recipe(query, view.scenario)
    kept = matching_among(asked, shown, items)
    among = scored_among(plain, view, kept, shown.catalog.categories)
    ranked = boosted(reranked(among, plain, shown), asked, shown)
    slate = _presented(query, asked, shown, ranked)
    return msgspec.structs.replace(slate, filtered=len(items) - len(kept))


def rank(query: Query, view: View) -> Ranked:
    """Return all candidates as the slate's ranker orders them: `answer` without policy and presentation."""
    ranked = ordered(query, view)
    order = by_score(ranked)
    return Ranked(ranked.candidates.item[order], ranked.score[order])


def shortlist(query: Query, view: View) -> Ranked:
    """Return the items of the slate in its order, policy included: `answer` without presentation."""
    ranked = ordered(query, view)
    places = placed(query, view, ranked)
    return Ranked(ranked.candidates.item[places], ranked.score[places])


def candidates(query: Query, view: View) -> Candidates:
    """Return the union of what the sources propose, with every source's raw score of each."""
    return scored(query, view).candidates


def sample(query: Query, view: View, truth: int) -> Sample:
    """Return what `Blend.fit` learns from: the standardized candidates and the row of item `truth`.

    Its columns are the blend's sources, zero for those that do not answer this query, and the boost. Sources
    that answer though the blend does not know them, where it gives no source a say, have none.
    """
    ranked = scored(query, view)
    item = ranked.candidates.item
    row = int(np.searchsorted(item, truth))
    found = row < len(item) and item[row] == truth
    occasion, names = ranked.occasion, view.artifact.blend.sources
    columns = np.zeros((len(item), len(names) + 1), np.float32)
    proposed = np.zeros((len(item), len(names)), np.bool_)
    rows = [row for row, source in enumerate(occasion.sources) if source in names]
    at = [names.index(occasion.sources[row]) for row in rows]
    columns[:, at] = standardize(ranked.candidates.score, ranked.mean, ranked.deviation)[rows].T
    columns[:, -1] = ranked.boost
    proposed[:, at] = ranked.candidates.proposed[rows].T
    return Sample(
        columns=columns,
        proposed=proposed,
        truth=row if found else -1,
        length=len(occasion.history),
        in_session=is_in_session(occasion.history, query.now),
    )


def pairs(ranked: Ranked, future: Ordinals) -> tuple[Floats, Mask]:
    """Return what `Calibration.fit` learns from: the scores, and whether each item is among `future`."""
    return ranked.score, np.isin(ranked.item, future)


def versions_of(view: View) -> Versions:
    """Return the versions that an answer from `view` depends on."""
    fresh = None if view.ranker is None else view.fresh_clicks
    return Versions(
        state_seq=view.state.seq,
        item_state_seq=view.state.items.seq,
        catalog_version=view.catalog.version,
        artifact=view.artifact.version,
        blend=view.artifact.blend_version,
        scenario=view.scenario.name,
        namespace=view.namespace,
        scenario_version=view.scenario.version,
        clicks=None if fresh is None else fresh.edition,
    )


def _presented(query: Query, asked: Query, view: View, ranked: Scored) -> Slate:
    """Return the slate of `query`, which with the expressions of its scenario is `asked`."""
    keeper = view.timekeeper
    keeper.begins(CHOICE)
    places = placed(asked, view, ranked)
    versions = versions_of(view)
    slate = Slate(
        recommendation_id=make_id(query, versions),
        user_id=query.user_id,
        source=_source(view, ranked),
        model_version=view.artifact.version,
        items=places_of(asked, view, ranked, places),
        versions=versions,
        scenario=view.scenario.name,
        generated_at=query.now,
        filtered=ranked.occasion.filtered,
        title=heading(view, ranked.occasion.history) if view.scenario.title else "",
        relaxed=relaxed(asked, view, ranked, ranked.candidates.item[places]),
        left_out=tuple(keeper.left_out),
    )
    keeper.done(lambda: flow_of(ranked, len(places)))
    return slate


def _source(view: View, ranked: Scored) -> str:
    own = _propose_any(ranked.candidates.proposed, ranked.occasion.plan.own)
    if view.scenario.history == "nothing" or not own:
        return "trending"
    return "personalized" if view.scenario.history in {"user", "session"} else "similar"


@kernel
def _propose_any(proposed: Ordinals, sources: Int64s) -> bool:
    """Return whether any of `sources` proposed any item."""
    for source in sources:
        for is_proposed in proposed[source]:
            if is_proposed:
                return True
    return False
