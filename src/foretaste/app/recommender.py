"""The embedded recommender: the same object that the HTTP service serves, in this process."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from foretaste.adapters.files.event_table import Events
from foretaste.app.arguments import (
    LAST_MOMENT,
    MOST_ITEMS,
    as_context,
    as_rules,
    as_text,
    as_texts,
    as_values,
    count_or_usual,
    id_or_none,
    moment_or_now,
    number_or_none,
    seed_or_new,
    share,
    within,
)
from foretaste.app.home import Home
from foretaste.app.importing import BATCH, import_events
from foretaste.app.learning import train_home
from foretaste.app.merging import Merged, merge_users
from foretaste.app.past_recommender import PastRecommender
from foretaste.app.personalizing import candidates_of
from foretaste.app.reproducing import Reproduction, given_again, recorded
from foretaste.app.settings import Settings
from foretaste.app.slates import Slate, as_slate
from foretaste.app.wiring import home_in_memory, open_home
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import InvalidEventError, InvalidInputError
from foretaste.domain.event import Event
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.domain.slate_rules import SlateRules
from foretaste.events.items import parse_item
from foretaste.events.people import parse_attributes
from foretaste.events.text import checked_id
from foretaste.ports.vector_index import Values
from foretaste.serving.profile import Profile
from foretaste.serving.recorder import EventStatus, Receipt
from foretaste.training.config import Progress, silent
from foretaste.training.report import TrainReport


class Recommender:
    """Recommends, explains and learns from every event, in this process.

    Make one with `train` (from data) or `open` (a directory that holds all state). An event that
    `record` returned from is in the very next answer. Close it, or use it in a `with` block.

    >>> events = ft.datasets.movielens_100k()
    >>> with ft.Recommender.train(events.until("1998-03-01"), items=events.items) as rec:
    ...     print(rec.recommend("196", k=5, explain=True))
    ...     rec.record(user_id="196", item_id="242", type="click")
    ...     print(rec.recommend("196", k=5))
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.report: TrainReport | None = None

    @classmethod
    def train(
        cls,
        events: Events,
        items: Iterable[Item | Mapping[str, Any]] = (),
        *,
        users: Mapping[str, Mapping[str, Any]] | None = None,
        home: str | Path | None = None,
        seed: int = 0,
        settings: Settings | None = None,
        progress: Progress = silent,
    ) -> "Recommender":
        """Take `events`, `items` and attributes of `users` in, learn, and return what recommends now.

        Everything stays in this process, and what was learnt serves whatever the quality gate says of it,
        unless `home` names a directory to keep it in: then what is there already is learnt from too, and
        the model serves only if it passes. The same data and `seed` give the same model. `report` of the
        result says how well the model foretold what it had not seen, and what the gate made of it.
        `progress` is called with the stage and the share of it that is done.

        Raises `InvalidInputError` where there is nothing to learn from, `UnavailableError` where
        another process has the home.

        >>> rec = ft.Recommender.train(events, items=events.items)
        >>> rec.report.metrics["ndcg@10"]
        """
        opened = (
            home_in_memory(settings)
            if home is None
            else open_home(Path(home), settings=settings, create=True)
        )
        rec = cls(opened)
        try:
            rec.put_items(items or events.items)
            import_events(opened.log, events.chunks(BATCH))
            rec.add_users(users or {})
            rec.report = train_home(opened, seed=seed, progress=progress)
        except BaseException:
            rec.close()
            raise
        opened.click_following.follow()
        return rec

    @classmethod
    def open(
        cls, home: str | Path, *, read_only: bool = False, settings: Settings | None = None
    ) -> "Recommender":
        """Open the directory that holds all state: the one that `foretaste --home` names.

        One process at a time may write a home; `read_only` looks at it as it is now, beside a running
        service. Raises `NotFoundError` where there is no home, `UnavailableError` where another process
        has it.

        >>> rec = ft.Recommender.open(".foretaste", read_only=True)
        """
        opened = open_home(Path(home), settings=settings, read_only=read_only)
        opened.click_following.follow()
        return cls(opened)

    def recommend(
        self,
        user_id: str | None,
        k: int | None = None,
        *,
        explain: bool = False,
        explain_top_k: int = 3,
        scenario: str = "home",
        item_id: str | None = None,
        item_ids: Iterable[str] = (),
        model: str | None = None,
        filters: Values | None = None,
        exclude: Values | None = None,
        exclude_ids: Iterable[str] = (),
        filter: str | Iterable[str] = (),  # noqa: A002 - the parameter is called so everywhere
        boost: str | Iterable[str] = (),
        context: Mapping[str, str] | None = None,
        diversity_lambda: float | None = None,
        popularity_correction: float | None = None,
        min_score: float | None = None,
        rules: SlateRules | Mapping[str, Any] | None = None,
        cursor: str | None = None,
        page_id: str | None = None,
        now: int | None = None,
        seed: int | None = None,
    ) -> Slate:
        """Return the best `k` items for a person at this moment; None: as many as is usual, 10 mostly.

        `scenario` names the recipe; `cart`, `similar` and `rerank` need `item_id` or `item_ids`.
        An unknown person, or None, gets what is trending; `slate.source` says so. `explain` adds the
        past items that speak for each place, `explain_top_k` of them. `filters` and `exclude` map
        `category` or an attribute to the values allowed or forbidden. `filter` is a condition, or several
        that must all be true, `boost` what is to come up, both as expressions. `diversity_lambda` trades
        relevance (1.0) for variety (0.0); `popularity_correction` divides an item's odds by this power of
        its popularity (0.0 not at all). `now` is the moment of asking in microseconds UTC, `seed` the
        request's randomness: the same on the same state gives the same slate.

        `rules` are of the slate as a whole: `quotas`, `slots`, `forbidden`, `rest`, `own_mix`, as
        `POST /recommend` takes them; `slate.relaxed` are those that could not be kept. An empty `cursor` asks
        for the first page, `slate.next_cursor` for the one after it. Under one `page_id` no box repeats
        another.

        Raises `InvalidQueryError` for a parameter out of its range, `UnknownScenarioError` and
        `UnknownModelError`.

        >>> rec.recommend("196", k=3, filters={"category": ["Drama"]}, exclude_ids=["242"])
        >>> rec.recommend("196", filter='not "Horror" in category', boost="year > 1995 : 1.5")
        >>> rec.recommend("196", rules={"quotas": [{"each": "category", "at_most": 2}]})
        >>> rec.recommend("196", scenario="cart", item_ids=["242", "302"])
        """
        query = Query(
            now=moment_or_now(now),
            seed=seed_or_new(seed),
            user_id=id_or_none("user_id", user_id),
            scenario=as_text("scenario", scenario),
            item_id=id_or_none("item_id", item_id),
            item_ids=as_texts("item_ids", item_ids),
            model=id_or_none("model", model),
            k=count_or_usual(k),
            filters=as_values(filters),
            exclude=as_values(exclude),
            exclude_ids=as_texts("exclude_ids", exclude_ids),
            filter=as_texts("filter", filter),
            boost=as_texts("boost", boost),
            context=as_context(context),
            diversity_lambda=share("diversity_lambda", diversity_lambda),
            popularity_correction=share("popularity_correction", popularity_correction),
            min_score=number_or_none("min_score", min_score),
            explain=explain,
            explain_top_k=within("explain_top_k", explain_top_k, 1, MOST_ITEMS),
            rules=as_rules(rules),
        )
        page, at = id_or_none("page_id", page_id), id_or_none("cursor", cursor)
        return as_slate(self.home.answerer.recommend(query, cursor=at, page_id=page))

    def similar(
        self,
        item_id: str,
        k: int = 10,
        *,
        filters: Values | None = None,
        exclude_ids: Iterable[str] = (),
        filter: str | Iterable[str] = (),  # noqa: A002 - the parameter is called so everywhere
        boost: str | Iterable[str] = (),
        now: int | None = None,
    ) -> Slate:
        """Return the `k` items most like one item; raise `UnknownItemError` if there is none such.

        >>> rec.similar("242", k=5)
        """
        query = Query(
            now=moment_or_now(now),
            seed=0,
            item_id=as_text("item_id", item_id),
            k=within("k", k, 1, MOST_ITEMS),
            filters=as_values(filters),
            exclude_ids=as_texts("exclude_ids", exclude_ids),
            filter=as_texts("filter", filter),
            boost=as_texts("boost", boost),
        )
        return as_slate(self.home.answerer.similar(query))

    def as_of(self, time: int) -> "PastRecommender":
        """Return this recommender as it was at `time` (microseconds UTC), for reading only.

        It knows the events dated up to then, the catalog's version and the model of then. Folds the log:
        about a second for a million events.

        >>> rec.as_of(882_000_000_000_000).recommend("196", k=3)
        """
        return PastRecommender(self.home, within("time", time, 0, LAST_MOMENT))

    def reproduce(self, recommendation_id: str) -> Reproduction:
        """Return a past answer, given again from the log, and whether it came out identical.

        Raises `NotFoundError` where its record or one of its inputs is kept no more.

        >>> rec.reproduce(slate.recommendation_id).identical
        True
        """
        ((_, again),) = given_again(
            self.home, [recorded(self.home, as_text("recommendation_id", recommendation_id))]
        )
        return again

    def personalize(
        self,
        user_id: str | None,
        candidates: Iterable[str | Item | Mapping[str, Any]],
        *,
        k: int | None = None,
        filter: str | Iterable[str] = (),  # noqa: A002 - the parameter is called so everywhere
        boost: str | Iterable[str] = (),
        context: Mapping[str, str] | None = None,
        diversity_lambda: float | None = 1.0,
        explain: bool = False,
        now: int | None = None,
        seed: int | None = None,
    ) -> Slate:
        """Return `candidates` in the best order for a person, the first `k` of them (None: all).

        A candidate is the id of an item, or an item with text, categories and attributes. Items never seen
        before are judged by these; they are not kept. Deleted, hidden and sold-out ones are left out, and
        so is what does not match `filter`; see `recommend` for this and `boost`.

        Raises `InvalidQueryError` for no candidates, more than a thousand, or one that cannot be read.

        >>> rec.personalize("196", ["242", {"item_id": "new", "title": "A quiet drama"}])
        """
        items = candidates_of([candidates] if isinstance(candidates, str) else candidates)
        query = Query(
            now=moment_or_now(now),
            seed=seed_or_new(seed),
            user_id=id_or_none("user_id", user_id),
            k=max(1, len(items)) if k is None else within("k", k, 1, MOST_ITEMS),
            filter=as_texts("filter", filter),
            boost=as_texts("boost", boost),
            context=as_context(context),
            diversity_lambda=share("diversity_lambda", diversity_lambda),
            explain=explain,
        )
        return as_slate(self.home.answerer.personalize(query, items))

    def add_users(self, users: Mapping[str, Mapping[str, Any]]) -> int:
        """Tell what is known of people, by user id: age, gender, country, whatever there is; return how many.

        A person's attributes are replaced as a whole. The next answer knows them; what they say about
        taste is learnt by training. People need no events to have attributes.

        Raises `InvalidInputError` for an id that cannot be one, and for an attribute that is no text, number
        or truth value.

        >>> rec.add_users({"196": {"age": 49, "gender": "M", "country": "France"}})
        """
        people = {
            checked_id(user_id, "user_id", InvalidInputError): parse_attributes(user_id, known)
            for user_id, known in users.items()
        }
        self.home.put_people(people)
        return len(people)

    def record(self, *, user_id: str, item_id: str, type: str, **fields: Any) -> EventStatus:  # noqa: A002 # the field is called so everywhere
        """Record one event; when this returns, the event is durable and in the next answer.

        `fields` are those of `POST /events`: `timestamp`, `value` (or `rating`), `event_id`,
        `session_id`, `recommendation_id`, `context`. Raises `InvalidEventError`, and `NotDurableError`
        where the disk refuses.

        >>> rec.record(user_id="196", item_id="242", type="rating", value=5)
        """
        raw = {"user_id": user_id, "item_id": item_id, "type": type, **fields}
        (status,) = self.home.recorder.record([raw], now=system_clock()).events
        if status.status == "rejected":
            raise InvalidEventError(status.reason or "the event breaks a rule", field=status.field)
        return status

    def record_many(self, events: Iterable[Event | Mapping[str, Any]]) -> Receipt:
        """Record many events at once; the receipt has a status for each, in their order.

        >>> rec.record_many([{"user_id": "196", "item_id": "242", "type": "click"}]).accepted
        1
        """
        raws = [_raw(event) for event in events]
        return self.home.recorder.record(raws, now=system_clock())

    def profile(self, user_id: str, *, recent_limit: int = 10, top_categories: int = 5) -> Profile:
        """Return what a person did and prefers; raise `UnknownUserError` if nothing is known of them.

        `profile.preferences` counts topics, sources, hours and weekdays of what they liked of late; of topics
        and sources the `top_categories` most frequent.
        """
        return self.home.profiler.profile(
            as_text("user_id", user_id),
            recent_limit=within("recent_limit", recent_limit, 0, MOST_ITEMS),
            top_categories=within("top_categories", top_categories, 0, MOST_ITEMS),
        )

    def put_items(self, items: Iterable[Item | Mapping[str, Any]]) -> int:
        """Insert or replace catalog items; the next answer may already contain them.

        Returns the catalog version. Raises `InvalidItemError`.

        >>> rec.put_items([{"item_id": "new-1", "title": "Paper lamp", "categories": ["light"]}])
        """
        return self.home.put_items([_item(item) for item in items])

    def delete_items(self, item_ids: Iterable[str]) -> int:
        """Delete catalog items, which are in no answer from now on; return the catalog version."""
        return self.home.delete_items(as_texts("item_ids", item_ids))

    def merge_users(self, from_user_id: str, into_user_id: str) -> Merged:
        """Make an anonymous id a known person: histories fold into one, later events of the old id follow.

        The next answer for either id knows both pasts. To do it again changes nothing.

        >>> rec.merge_users("session-8f2", "196").merged
        True
        """
        old, into = as_text("from_user_id", from_user_id), as_text("into_user_id", into_user_id)
        return merge_users(self.home, old, into, clock=system_clock)

    def users(self) -> list[str]:
        """Return everyone who has an event, in order of first sight."""
        state = self.home.state
        names = self.home.id_map.names("user")[: state.n_users]
        return [name for user, name in enumerate(names) if state.summary(user).events]

    def close(self) -> None:
        """Save the state and release everything. Closing twice is fine."""
        self.home.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "memory" if self.home.directory is None else self.home.directory
        model = self.home.artifact.version if self.home.artifact else "no model yet"
        return f"<Recommender: {model}, {self.home.state.seq:,} events, in {where}>"


def _raw(event: Event | Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(event, Event):
        return event
    return {name: getattr(event, name) for name in Event.__struct_fields__}


def _item(item: Item | Mapping[str, Any]) -> Item:
    return item if isinstance(item, Item) else parse_item(item)
