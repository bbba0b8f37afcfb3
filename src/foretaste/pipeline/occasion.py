"""What a query is about: which history, which items, which sources and with what weights."""

import msgspec
import numpy as np

from foretaste.domain.arrays import Doubles, Mask, Ordinals
from foretaste.domain.circumstances import clock_of, known_at, written
from foretaste.domain.history import History
from foretaste.domain.query import Query
from foretaste.models.interface import Model, Moment
from foretaste.pipeline.conditions import matching
from foretaste.pipeline.known import Known
from foretaste.pipeline.plan import Plan, plan_of
from foretaste.pipeline.resting import without_resting
from foretaste.pipeline.starting import latest_item, narrowed, present_session
from foretaste.pipeline.view import NOTHING, View
from foretaste.ranking.boost import Interest, recent_interest
from foretaste.ranking.contexts import is_in_session
from foretaste.retrieval.masks import Passing, listed, passing, shown_of

_NOTHING = History(
    item=np.empty(0, np.int32),
    weight=np.empty(0, np.float32),
    time=np.empty(0, np.int64),
    type=np.empty(0, np.int16),
)
_ONE, _FIRST_TYPE = np.ones(1, np.float32), np.zeros(1, np.int16)

MOST_HAD = 512
"""So many of a person's items are reckoned with when the best for them are put at hand."""


class Occasion(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A query resolved against its view.

    `available` bool [n_items] is what may be shown to anybody now, `usual` to this person in this scenario,
    who `had` about so many of these, `allowed` what is left of it by the query's filters and exclusions (the
    same array where there are none); `filtered` counts what they leave out. `passing` is what passes the
    filters, where these may be asked again. Of the plan are `sources`, `models` and `weights`.
    """

    history: History
    moment: Moment
    plan: Plan
    interest: Interest | None
    available: Mask
    had: int
    usual: Mask
    passing: Passing | None
    allowed: Mask
    filtered: int

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that answer."""
        return self.plan.sources

    @property
    def models(self) -> tuple[Model, ...]:
        """Their models."""
        return self.plan.models

    @property
    def weights(self) -> Doubles:
        """What they weigh and, last, the boost: float64 [n_sources + 1]."""
        return self.plan.weights

    @property
    def is_narrowed(self) -> bool:
        """Whether the query has filters or exclusions."""
        return self.allowed is not self.usual


def occasion_of(query: Query, view: View) -> Occasion:
    """Resolve `query`; raise `UnknownModelError` if it names a model that the artifact lacks."""
    person = view.known.of(view.state, view.user)
    history = _history(query, view, person)
    moment = moment_of(query, view)
    in_session = is_in_session(history, query.now)
    plan = plan_of(query.model, view, len(history), in_session=in_session, moment=moment)
    interest = None
    if view.scenario.boost_seconds:
        interest = recent_interest(history, view.catalog.categories, query.now, view.scenario.boost_seconds)
    available = view.catalog.available_to_all(query.now, moment.n_items)
    left_out = _left_out(view, person, history)
    passes = _passing(query, view, available, left_out)
    usual, allowed, filtered = shown_of(available, left_out, passes, view.excluded)
    resting = without_resting(query, view, allowed)
    if resting is not allowed:
        filtered += int(np.count_nonzero(allowed) - np.count_nonzero(resting))
    return Occasion(
        history=history,
        moment=moment,
        plan=plan,
        interest=interest,
        available=available,
        had=min(person.events, MOST_HAD),
        usual=usual,
        passing=_listed(passes, available, view),
        allowed=resting,
        filtered=filtered,
    )


def has_start(query: Query, view: View) -> bool:
    """Return whether there is a history for the scenario to start from."""
    return len(_history(query, view, view.known.of(view.state, view.user))) > 0


def moment_of(query: Query, view: View) -> Moment:
    """Return the instant at which `query` is asked, with all that is known just then."""
    return Moment(
        now=query.now,
        items=view.state.items,
        catalog=view.catalog,
        people=view.state.people,
        user=view.user,
        circumstances=(*clock_of(query.now), *known_at(written(query.context), view.circumstances)),
        guests=view.guests,
    )


def _history(query: Query, view: View, person: Known) -> History:
    start = view.scenario.history
    if start == "user":
        return person.history
    if start == "session":
        return present_session(person.history, query.now)
    seeds = view.seeds if start != "latest" else (view.seeds or latest_item(person.history))[:1]
    return _NOTHING if start == "nothing" or not seeds else _of_items(seeds, query.now, view)


def _of_items(items: tuple[int, ...], now: int, view: View) -> History:
    n = len(items)
    return History(
        item=np.array(items, np.int32),
        weight=_ONE if n == 1 else np.ones(n, np.float32),
        time=np.array([now] * n, np.int64),
        type=_FIRST_TYPE if n == 1 else np.zeros(n, np.int16),
        memo=view.known.memo_of_item(view.state, items[0]) if n == 1 else {},
    )


def _left_out(view: View, person: Known, history: History) -> Ordinals:
    """Return the items that this person is not shown in this scenario, int32."""
    left_out = NOTHING
    types = view.scenario.consumed_where(view.artifact.manifest.once)
    if view.user >= 0 and types:
        left_out = person.consumed(view.state, view.user, types, view.type_names)
    if view.scenario.history in {"items", "latest"} and view.scenario.candidates == "catalog":
        return np.concatenate((left_out, history.item))
    return left_out


def _passing(query: Query, view: View, available: Mask, left_out: Ordinals) -> Mask | None:
    """Return what passes the filters, None where there are none; read-only where it is kept."""
    passes = passing(view.catalog, len(available), query.filters, query.exclude)
    others = [matching(query, view, len(available))] if query.filter else []
    if view.scenario.newest or view.scenario.candidates == "items":
        others.append(narrowed(view, shown_of(available, left_out, None, NOTHING)[0]))
    for other in others:
        if other is not None:
            passes = other if passes is None else passes & other
    return passes


def _listed(passes: Mask | None, available: Mask, view: View) -> Passing | None:
    """Return what passes as a list, if it is kept: what is not was made for this query alone."""
    if passes is None or passes.flags.writeable:
        return None
    return listed(passes, available, view.known.of_everyone)
