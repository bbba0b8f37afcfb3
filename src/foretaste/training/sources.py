"""The sources that ship, by what the data is like and how much effort may go into them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from foretaste.domain.errors import InvalidInputError
from foretaste.features.recency import Recency
from foretaste.models.content import ContentConfig
from foretaste.models.context_popularity import ContextPopularityConfig
from foretaste.models.dense_content import LatentConfig, VectorsConfig
from foretaste.models.graph_filter import GraphFilterConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.ials_tuning import USUAL_REGULARIZATION, USUAL_UNOBSERVED
from foretaste.models.interface import Learner
from foretaste.models.item_item import ItemItemConfig
from foretaste.models.neural.ncf import NCFConfig
from foretaste.models.neural.self_attention import SelfAttentionConfig
from foretaste.models.nmf import NMFConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.models.repetition import RepetitionConfig
from foretaste.models.rising import RisingConfig
from foretaste.models.session_knn import SessionKNNConfig
from foretaste.models.transitions import TransitionsConfig

USUAL_REPETITION = RepetitionConfig(recency=Recency(power=1.0), latest=1.0)
"""What a person had, as it fades where nothing is chosen."""

AS_PUBLISHED = GraphFilterConfig(
    event=0.5, user=1.0, target=0.5, sharpness=2.5, low_pass=0.2, recency=Recency()
)
"""The graph filter with the constants of Choi et al. (see `graph_filter`), none of them chosen on the log.

What a part drawn by lot chooses suits that part; a view that was not chosen by it is worth something beside
those that were, where what comes next is of another kind.
"""

Effort = Literal["quick", "usual", "best"]
"""How long training may take: seconds for a demonstration, a minute or two, or what the best model needs."""

FADED = 6
"""After so many half-lives an event of the history no longer speaks."""

QUESTIONS: Mapping[Effort, tuple[int, int]] = {
    "quick": (600, 500),
    "usual": (3000, 2000),
    "best": (6000, 2000),
}
"""How many questions the blend learns from, and on how many the result is judged."""


def usual_sources(
    *,
    timed: bool = True,
    ordered: bool = True,
    people: bool = False,
    returns: bool = False,
    effort: Effort = "usual",
    vectors: bool = False,
) -> dict[str, Learner]:
    """Return the sources that ship: what each is called, and how it is learnt.

    Without times (`timed` off) there are none that live on age, without any order (`ordered` off) none that
    live on what follows what. With `vectors` one is by the vectors that items have, where one `returns` to
    what one had one is that. The quick ones choose little for themselves.
    """
    quick = effort == "quick"
    sources: dict[str, Learner] = {
        "popularity": PopularityConfig(),
        "ials": IALSConfig(
            regularization=USUAL_REGULARIZATION,
            unobserved=USUAL_UNOBSERVED,
            chosen_beside=USUAL_REGULARIZATION,
        )
        if quick
        else IALSConfig(),
        "item_item": ItemItemConfig(),
        "content": ContentConfig(),
    }
    if vectors:
        sources["vectors"] = VectorsConfig()
    if timed:
        sources |= {
            "popularity_week": PopularityConfig(half_life=604_800.0),
            "popularity_day": PopularityConfig(half_life=86_400.0),
        }
    if ordered:
        sources |= {
            "transitions": TransitionsConfig(
                damping=0.5, discount=0.3, recency=Recency(half_life_events=2.0)
            ),
            "together": _together(half_life=2.0),
        }
    if timed and not quick:
        sources |= {
            "popularity_month": PopularityConfig(half_life=2_592_000.0),
            "popularity_hour": PopularityConfig(half_life=3600.0),
            "popularity_minutes": PopularityConfig(half_life=600.0),
            "rising_day": RisingConfig(half_life=86_400.0),
            "rising_hour": RisingConfig(half_life=3600.0),
        }
    sources |= {"repetition": USUAL_REPETITION if quick else RepetitionConfig()} if returns else {}
    if people or (timed and not quick):
        sources["context"] = ContextPopularityConfig()
    if ordered and not quick:
        sources |= {
            "together_long": _together(half_life=8.0),
            "session_knn": SessionKNNConfig(),
        }
    if ordered and effort == "best":
        sources["self_attention"] = SelfAttentionConfig()
    if effort == "best" or not (ordered or quick):
        # items of long standing say less here than in item_item, which suits other people
        sources["graph"] = GraphFilterConfig(event=1.0)
    if effort == "best" and not ordered:
        sources |= {"ials": IALSConfig(breadth=2), "symmetric": AS_PUBLISHED}
    return sources


def _together(half_life: float) -> TransitionsConfig:
    """Return what goes together with the last events, the very popular held back a little."""
    recency = Recency(half_life_events=half_life)
    events = int(FADED * half_life)
    return TransitionsConfig(relation="together", discount=0.3, events=events, recency=recency)


def is_fleeting(learner: object) -> bool:
    """Return whether a source lives on what is new or on the moment, not on what people have in common."""
    if isinstance(learner, PopularityConfig):
        return learner.half_life is not None
    return isinstance(learner, RisingConfig | ContextPopularityConfig)


def optional_sources() -> dict[str, Learner]:
    """Return the sources that are learnt only where they are asked for by name."""
    return {
        "nmf": NMFConfig(),
        "latent": LatentConfig(),
        "vectors": VectorsConfig(),
        "ncf": NCFConfig(),
        "repetition": RepetitionConfig(),
        "self_attention": SelfAttentionConfig(),
        "symmetric": AS_PUBLISHED,
    }


def with_words(sources: Mapping[str, Learner], max_features: int | None) -> Mapping[str, Learner]:
    """Return the sources, those that read texts knowing `max_features` words (None: as many as they say)."""
    if max_features is None:
        return sources
    return {
        name: msgspec.structs.replace(learner, max_features=max_features)
        if isinstance(learner, ContentConfig | LatentConfig)
        else learner
        for name, learner in sources.items()
    }


def with_sizes(
    sources: Mapping[str, Learner],
    *,
    factors: int | None = None,
    regularization: float | None = None,
    embedding_dim: int | None = None,
) -> Mapping[str, Learner]:
    """Return the sources with what is given for factor models and for descriptions of items."""
    of_factors = {"dim": factors, "regularization": regularization}
    given: dict[str, Any] = {name: value for name, value in of_factors.items() if value is not None}
    if regularization is not None:
        given["chosen_beside"] = None

    def sized(learner: Learner) -> Learner:
        if isinstance(learner, IALSConfig) and given:
            return msgspec.structs.replace(learner, **given)
        if isinstance(learner, LatentConfig | VectorsConfig) and embedding_dim is not None:
            return msgspec.structs.replace(learner, dim=embedding_dim)
        return learner

    return {name: sized(learner) for name, learner in sources.items()}


def chosen_sources(names: Sequence[str]) -> Mapping[str, Learner] | None:
    """Return the sources of these names; None, which stands for the usual ones, for no names.

    Raises `InvalidInputError` that lists the names there are.
    """
    there = {**usual_sources(), **optional_sources()}
    for name in names:
        if name not in there:
            raise InvalidInputError(
                f"no source is called {name!r}; there are {', '.join(there)}", field="sources"
            )
    return {name: there[name] for name in there if name in names} or None
