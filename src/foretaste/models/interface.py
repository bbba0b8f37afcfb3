"""The one interface that every learner has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, runtime_checkable

from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Ordinals
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.item_state import ItemState
from foretaste.features.people import People
from foretaste.models.guests import NO_GUESTS, Guests


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant of asking: the time, and all that is known of items just then; no event comes within it.

    `n_items` is the length of every score array: all ordinals given so far, also those younger than
    the model. `people` gives read access to everyone's histories, None where there are none; `user` is the
    ordinal of the person who asks, -1 where it is nobody known: their own history is no evidence.
    `circumstances` are those of the moment and of the person, as `hour=18` and `age=20`. `guests` are not
    among the items of score arrays (see `Host`).
    """

    now: int
    items: ItemState
    catalog: CatalogColumns
    people: People | None = None
    user: int = -1
    circumstances: tuple[str, ...] = ()
    guests: Guests = NO_GUESTS
    n_items: int = field(init=False)
    seq: int = field(init=False)
    """The sequence number of the last event that is known of."""

    def __post_init__(self) -> None:
        """Look up once what every model asks."""
        object.__setattr__(self, "n_items", max(self.items.n_items, self.catalog.n_items))
        object.__setattr__(self, "seq", self.items.seq)


class Model(Protocol):
    """A learner, fitted.

    Promises, each a test of `foretaste.testing.contracts.model`:

    - The same interactions, configuration and seed give bit-equal `arrays`.
    - Scores are finite float32; items the model knows nothing of score 0; an empty history is allowed.
    - `explain` gives one number per history event; their sum plus a part that does not depend on the
      history is the score of the item, within float32 rounding.
    - A model rebuilt from `config` and `arrays` scores bit-equally.
    """

    @property
    def name(self) -> str:
        """What kind of model it is, as scenarios name it."""
        ...

    @property
    def config(self) -> Any:
        """The configuration: a frozen msgspec struct whose fields are JSON values."""
        ...

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Score all items (float32 [moment.n_items]) or the given ones (float32 [len(items)])."""
        ...

    def basis(self, moment: Moment) -> object | None:
        """Return what scores of a history depend on beside it: another object once that changes.

        It keeps nothing else alive. None where a score also depends on the time or on other people's events.
        """
        ...

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return what each history event contributes to the score of `item`, float32 [len(history)]."""
        ...

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return `explain` of each of `items` at once, float32 [len(items), len(history)]."""
        ...

    def vectors(self, items: Ordinals) -> Floats | None:
        """Return unit-length rows float32 [len(items), dim], zero where unknown; None without vectors."""
        ...

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return all that was learnt."""
        ...

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the model that `arrays` came from."""
        ...


@runtime_checkable
class ManyScorer(Model, Protocol):
    """A model that scores many histories at once for less than one after the other."""

    def score_many(self, histories: Sequence[History], moment: Moment) -> Floats:
        """Score all items for each history, float32 [len(histories), moment.n_items]."""
        ...


class Learner(Protocol):
    """How a model comes to be: a configuration's `fit`.

    `catalog` holds the items' text and categories at the end of the window, for learners that read them.
    """

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> Model:
        """Learn from `interactions`; `seed` is the only randomness."""
        ...
