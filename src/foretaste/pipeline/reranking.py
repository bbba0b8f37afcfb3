"""The ranker's say: the best candidates of the blend put in the order that past slates taught."""

import msgspec
import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.domain.slate import Candidates
from foretaste.features.category_table import CategoryTable
from foretaste.models.guests import Host
from foretaste.pipeline.boosting import boosted
from foretaste.pipeline.scoring import Scored, scored, scored_with_rows
from foretaste.pipeline.timekeeping import RANKER
from foretaste.pipeline.view import View
from foretaste.ranking.boost import boosts
from foretaste.ranking.normalize import blend_scores
from foretaste.ranking.past import past_of, taking_types
from foretaste.ranking.slate_features import Columns, SlateRequest
from foretaste.retrieval.rows import scores_at

RERANKED = 100
"""So many of the blend's best are ranked anew."""
BLEND = "blend"
"""The name of the blended score among the ranker's columns."""

TAKING = frozenset(
    {
        "view",
        "click",
        "share",
        "add_to_wishlist",
        "add_to_cart",
        "purchase",
        "rating",
        "like",
        "watch",
        "complete",
    }
)
"""What a person has an event of these types with was taken; what they only were shown was left."""

_BEYOND = np.iinfo(np.int32).max


def ordered(query: Query, view: View) -> Scored:
    """Return the candidates of `query` with the scores that order them: blend, ranker, boosts."""
    return boosted(reranked(scored(query, view), query, view), query, view)


def reranked(found: Scored, query: Query, view: View) -> Scored:
    """Return `found` with its best candidates scored anew by the artifact's ranker, if it has one.

    Their scores keep the mean and the deviation that the blend gave them, so that chances, `min_score` and
    diversity mean what they meant; `lift` is what the ranker added.
    """
    ranker = view.ranker
    if ranker is None or not len(found.score):
        return found
    if view.timekeeper.late(RANKER):
        return found
    best = np.argsort(-found.score, kind="stable")[:RERANKED]
    own = ranker.score(slate_request(found, best, query, view, ranker.columns, known=ranker.n_items))
    blended = found.score[best].astype(np.float64)
    deviation = own.std()
    standard = (own - own.mean()) / deviation if deviation > 0.0 else np.zeros(len(own))
    lift = np.zeros(len(found.score), np.float32)
    lift[best] = blended.mean() + (blended.std() or 1.0) * standard - blended
    return msgspec.structs.replace(found, score=found.score + lift, lift=lift)


def slate_request(
    found: Scored, places: Int64s, query: Query, view: View, columns: Columns, *, known: int
) -> SlateRequest:
    """Return what the ranker is asked for the candidates at `places`: in training and in serving alike.

    Items from ordinal `known` on are younger than the ranker and read from the catalog of the view.
    """
    item = found.candidates.item[places]
    tally = view.state.tally(view.user)
    return SlateRequest(
        item=item,
        past=past_of(tally, taking_types(view.type_names, TAKING)),
        now=query.now,
        given=_read_anew(item, view, known),
        scores=_scores(found, places, columns.sources),
        first_seen=_first_seen(item, view),
    )


def scored_among(
    query: Query, view: View, items: Ordinals, categories: CategoryTable | None = None
) -> Scored:
    """Return `items`, ordinals of candidates given by the caller, with their blended scores.

    Means and deviations are those of an answer without given candidates, as in `scored`; no item is left out.
    `categories` are those of the candidates, where the view's catalog lacks some of them.
    """
    usual, rows = scored_with_rows(query, view)
    occasion = usual.occasion
    score = np.zeros((len(occasion.models), len(items)), np.float32)
    place, guest = occasion.moment.guests.among(items)
    for own, model, row in zip(score, occasion.models, rows, strict=True):
        own[:] = scores_at(row, items)
        if len(place) and isinstance(model, Host):
            own[place] = model.score_guests(occasion.history, occasion.moment)[guest]
    boost = np.zeros(len(items), np.float32)
    if occasion.interest is not None:
        table = categories or view.catalog.categories
        boost = boosts(occasion.interest, table, np.where(items < 0, _BEYOND, items))
    return msgspec.structs.replace(
        usual,
        candidates=Candidates(occasion.sources, items, score, (score > 0.0).astype(np.int32)),
        boost=boost,
        called=items,
        score=blend_scores(score, usual.scale, usual.offset, boost, occasion.weights[-1]),
    )


def _read_anew(items: Ordinals, view: View, known: int) -> dict[int, Item]:
    young = np.flatnonzero(items >= known).tolist()
    found = {place: view.catalog.item(int(items[place])) for place in young}
    return {place: item for place, item in found.items() if item is not None}


def _scores(found: Scored, places: Int64s, sources: tuple[str, ...]) -> Floats:
    """Return the scores of `sources` and the blend's, float32 [n_sources, n]; 0 where a source is silent."""
    rows = np.zeros((len(sources), len(places)), np.float32)
    for row, source in enumerate(sources):
        if source == BLEND:
            rows[row] = found.score[places]
        elif source in found.candidates.sources:
            rows[row] = found.candidates.score[found.candidates.sources.index(source), places]
    return rows


def _first_seen(item: Ordinals, view: View) -> Int64s:
    """Return since when each item is available, the least int64 where that is unknown."""
    known: Mask = item < view.catalog.n_items
    found = np.full(len(item), np.iinfo(np.int64).min)
    found[known] = view.catalog.available_from[item[known]]
    return found
