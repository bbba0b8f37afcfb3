"""A recommender as it was at a past moment."""

from collections.abc import Iterable

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.app.arguments import as_text, as_texts, as_values, count_or_usual, id_or_none, seed_or_new
from foretaste.app.home import Home
from foretaste.app.reproducing import PastHome
from foretaste.app.settings import expression_limits
from foretaste.app.slates import Slate, as_slate
from foretaste.domain.query import Query
from foretaste.ports.vector_index import Values
from foretaste.serving.answerer import Answerer


class PastRecommender:
    """A recommender as it was at `time`: what it answers then. Make one with `Recommender.as_of`."""

    def __init__(self, home: Home, time: int) -> None:
        self.home = PastHome(home, time)
        self._answerer = Answerer(
            self.home,
            MemoryTelemetry(),
            namespace=home.settings.namespace,
            scenarios=home.scenarios,
            limits=expression_limits(home.settings),
        )

    def recommend(
        self,
        user_id: str | None,
        k: int | None = None,
        *,
        explain: bool = False,
        scenario: str = "home",
        item_id: str | None = None,
        item_ids: Iterable[str] = (),
        filters: Values | None = None,
        exclude_ids: Iterable[str] = (),
        filter: str | Iterable[str] = (),  # noqa: A002 - the parameter is called so everywhere
        boost: str | Iterable[str] = (),
        seed: int = 0,
    ) -> Slate:
        """Return what would have been shown then; the parameters are those of `Recommender.recommend`."""
        query = Query(
            now=self.home.time,
            seed=seed_or_new(seed),
            user_id=id_or_none("user_id", user_id),
            scenario=as_text("scenario", scenario),
            item_id=id_or_none("item_id", item_id),
            item_ids=as_texts("item_ids", item_ids),
            k=count_or_usual(k),
            filters=as_values(filters),
            exclude_ids=as_texts("exclude_ids", exclude_ids),
            filter=as_texts("filter", filter),
            boost=as_texts("boost", boost),
            explain=explain,
        )
        return as_slate(self._answerer.recommend(query, dry_run=True))
