"""What a query is about: which history, which items, which sources and with what weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Mask
from foretaste.domain.circumstances import clock_of, known_at, written
from foretaste.domain.history import History
from foretaste.domain.query import Query
from foretaste.models.interface import Model, Moment
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.conditions import matching
from foretaste.pipeline.model_names import sources_called
from foretaste.pipeline.view import View
from foretaste.ranking.boost import Interest, recent_interest
from foretaste.ranking.contexts import is_in_session
from foretaste.retrieval.masks import consumed, passing, without

_NOTHING = History(
    item=np.empty(0, np.int32),
    weight=np.empty(0, np.float32),
    time=np.empty(0, np.int64),
    type=np.empty(0, np.int16),
)


@dataclass(frozen=True, slots=True, eq=False)
class Occasion:
    """A query resolved against its view.

    `weights` float64 [n_sources + 1] belong to `sources` and, last, the boost. `usual` bool [n_items] is
    what may be shown to this person in this scenario, `allowed` what is left of it by the query's filters
    and exclusions (the same array where there are none); `filtered` counts what they leave out.
    """

    history: History
    moment: Moment
    sources: tuple[str, ...]
    models: tuple[Model, ...]
    weights: Doubles
    interest: Interest | None
    usual: Mask
    allowed: Mask
    filtered: int

    @property
    def is_narrowed(self) -> bool:
        """Whether the query has filters or exclusions."""
        return self.allowed is not self.usual


def occasion_of(query: Query, view: View) -> Occasion:
    """Resolve `query`; raise `UnknownModelError` if it names a model that the artifact lacks."""
    history = _history(query, view)
    moment = moment_of(query, view)
    in_session = is_in_session(history, query.now)
    sources = _sources(query, view, len(history), in_session=in_session)
    interest = None
    if view.scenario.boost_seconds:
        interest = recent_interest(history, view.catalog.categories, query.now, view.scenario.boost_seconds)
    usual = _usual(query, view, moment.n_items)
    allowed = _allowed(query, view, usual)
    return Occasion(
        history=history,
        moment=moment,
        sources=sources,
        models=tuple(view.artifact.models[source] for source in sources),
        weights=_weights(view.artifact, sources, len(history), in_session=in_session),
        interest=interest,
        usual=usual,
        allowed=allowed,
        filtered=0 if allowed is usual else int(np.count_nonzero(usual) - np.count_nonzero(allowed)),
    )


def moment_of(query: Query, view: View) -> Moment:
    """Return the instant at which `query` is asked, with all that is known just then."""
    return Moment(
        now=query.now,
        items=view.state.items,
        catalog=view.catalog,
        people=view.state.people,
        user=view.user,
        circumstances=(*clock_of(query.now), *known_at(written(query.context), view.circumstances)),
    )


def is_kind(artifact: Artifact, source: str, kinds: Sequence[str]) -> bool:
    """Return whether `kinds` names the source itself or the kind of its model."""
    return source in kinds or artifact.models[source].name in kinds


def _history(query: Query, view: View) -> History:
    if view.scenario.history == "user":
        return view.state.history(view.user)
    if view.scenario.history == "nothing" or view.seed_item < 0:
        return _NOTHING
    return History(
        item=np.array([view.seed_item], np.int32),
        weight=np.ones(1, np.float32),
        time=np.array([query.now], np.int64),
        type=np.zeros(1, np.int16),
    )


def _sources(query: Query, view: View, length: int, *, in_session: bool) -> tuple[str, ...]:
    """Return the sources that answer: of those wanted those that the context hears, else all."""
    models, wanted = view.artifact.models, view.scenario.sources
    named = None if query.model is None else sources_called(query.model, view.artifact)
    if named is not None:
        return named
    if not length:
        wanted = view.scenario.fallback
    found = tuple(source for source in models if wanted == "all" or is_kind(view.artifact, source, wanted))
    say = view.artifact.blend.heard(length, in_session=in_session)
    heard = tuple(source for source in found if source in say)
    return heard or found


def _weights(artifact: Artifact, sources: tuple[str, ...], length: int, *, in_session: bool) -> Doubles:
    """Return the blend's weights of `sources`; alike where it gives none of them any."""
    row = artifact.blend.row(length, in_session=in_session).tolist()
    learnt = dict(zip(artifact.blend.sources, row, strict=False))
    weights = np.array([*(learnt.get(source, 0.0) for source in sources), row[-1]])
    if not weights[:-1].any():
        weights[:-1] = 1.0
    return weights


def _usual(query: Query, view: View, n_items: int) -> Mask:
    usual = view.catalog.available(query.now, n_items)
    if view.user >= 0 and view.scenario.consumed:
        without(usual, consumed(view.state.tally(view.user), view.scenario.consumed, view.type_names))
    if view.scenario.history == "item" and 0 <= view.seed_item < n_items:
        usual[view.seed_item] = False
    return usual


def _allowed(query: Query, view: View, usual: Mask) -> Mask:
    passes = passing(view.catalog, len(usual), query.filters, query.exclude)
    matches = matching(query, view, len(usual))
    if matches is not None:
        passes = matches if passes is None else passes & matches
    if passes is None and not len(view.excluded):
        return usual
    allowed = usual.copy() if passes is None else usual & passes
    without(allowed, view.excluded)
    return allowed
