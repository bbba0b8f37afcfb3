"""Static ranking of all items: users' lists, by what serves, and how good they are."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy import sparse

from foretaste.domain.event import EventColumns
from foretaste.domain.history import History
from foretaste.domain.query import Query
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State, StateConfig
from foretaste.models.interface import Model, Moment
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.choosing import by_score
from foretaste.pipeline.scenario import HOME
from foretaste.pipeline.scoring import scored
from foretaste.pipeline.view import View
from foretaste.training.corpus import Corpus

PLACES = 20
EVENT = "purchase"
"""A sign of liking, after which an item is not shown again: what users have in train is not ranked."""

Lists = dict[str, np.ndarray]
"""A user's best items by name of who proposes them, best first."""


@dataclass(frozen=True)
class Quality:
    """Means over users."""

    recall: float
    ndcg: float


def read(path: Path) -> sparse.csr_matrix:
    """Return a file of (user, item) as a matrix of ones, as large as the largest numbers in it."""
    frame = pl.read_parquet(path)
    user, item = frame["user"].to_numpy(), frame["item"].to_numpy()
    matrix = sparse.csr_matrix((np.ones(len(user), np.float32), (user, item)))
    matrix.data[:] = 1.0
    return matrix


def corpus_of(train: sparse.csr_matrix) -> Corpus:
    """Return `train` as a log: an event per entry, all of one moment, as in an import without times."""
    user, item = train.nonzero()
    n = len(user)
    events = EventColumns(
        previous_seq=0,
        seq=np.arange(1, n + 1),
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        type=np.zeros(n, np.int16),
        time=np.zeros(n, np.int64),
        key=np.arange(n),
        value=np.full(n, np.nan, np.float32),
    )
    names = [str(number) for number in range(train.shape[1])]
    return Corpus(events, CatalogColumns.empty(), names, [EVENT], train.shape[0])


def served_lists(corpus: Corpus, artifact: Artifact) -> Callable[[int], Lists]:
    """Return what makes a user's lists: `blend` by the path of answers, without diversity, and each source's.

    A source that the blend left out ranks by its own scores.
    """
    state = State(StateConfig(), lambda: corpus.type_names)
    state.apply(corpus.events)
    query = Query(now=0, seed=0, k=PLACES, scenario=HOME.name)

    def lists(user: int) -> Lists:
        view = View(
            state=state,
            catalog=corpus.catalog,
            artifact=artifact,
            scenario=HOME,
            item_names=corpus.item_names,
            type_names=corpus.type_names,
            user=user,
        )
        ranked = scored(query, view)
        candidates, occasion = ranked.candidates, ranked.occasion
        found = {"blend": candidates.item[by_score(ranked)[:PLACES]]}
        for source, model in artifact.models.items():
            if source in candidates.sources:
                row = candidates.sources.index(source)
                own = np.flatnonzero(candidates.proposed[row])
                best = own[np.argsort(-candidates.score[row, own], kind="stable")[:PLACES]]
                found[source] = candidates.item[best]
            else:
                score = model.score(occasion.history, occasion.moment)
                found[source] = best_of(np.where(occasion.allowed, score, -np.inf))
        return found

    return lists


def own_lists(corpus: Corpus, train: sparse.csr_matrix, model: Model, name: str) -> Callable[[int], Lists]:
    """Return what makes a user's list by one model alone, from all that they have in `train`."""
    state = State(StateConfig(), lambda: corpus.type_names)
    state.apply(corpus.events)
    moment = Moment(now=0, items=state.items, catalog=corpus.catalog)

    def lists(user: int) -> Lists:
        own = train.indices[train.indptr[user] : train.indptr[user + 1]].astype(np.int32)
        n = len(own)
        history = History(own, np.ones(n, np.float32), np.zeros(n, np.int64), np.zeros(n, np.int16))
        score = model.score(history, moment)
        score[own] = -np.inf
        return {name: best_of(score)}

    return lists


def best_of(scores: np.ndarray) -> np.ndarray:
    """Return the items with the highest scores, best first."""
    top = np.argpartition(-scores, PLACES)[:PLACES] if len(scores) > PLACES else np.arange(len(scores))
    return top[np.argsort(-scores[top], kind="stable")]


def judged(
    lists: Callable[[int], Lists], test: sparse.csr_matrix, most: int | None = None
) -> dict[str, Quality]:
    """Return everyone's Recall@20 and NDCG@20, the means over users with test items.

    Recall is the share of the test items found; NDCG is binary, the ideal cut at min(20, number of them).
    """
    gains = 1.0 / np.log2(2.0 + np.arange(PLACES))
    ideal = np.cumsum(gains)
    users = np.flatnonzero(np.diff(test.indptr))[:most]
    sums: dict[str, np.ndarray] = {}
    for user in users.tolist():
        wanted = test.indices[test.indptr[user] : test.indptr[user + 1]]
        for name, best in lists(user).items():
            hit = np.isin(best, wanted)
            gained = (hit * gains[: len(best)]).sum() / ideal[min(PLACES, len(wanted)) - 1]
            sums[name] = sums.get(name, 0.0) + np.array([hit.sum() / len(wanted), gained])
    return {name: Quality(*(total / len(users)).round(4).tolist()) for name, total in sums.items()}
