"""Matrix factorization of implicit feedback (iALS) that folds a live history in.

Rendle, Krichene, Zhang, Koren: "Revisiting the Performance of iALS on Item Recommendation Benchmarks",
RecSys 2022. The loss is Σ c (1 - w·h)² over what was observed, plus alpha Σ (w·h)² over all pairs, plus
λ Σ (n + alpha N) |v|² over all vectors v, n being the sum of c in v's row and N the length of the row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.changes import Changes
from foretaste.models.coded_vectors import CodedVectors
from foretaste.models.ials_factorization import Settings, factorize
from foretaste.models.ials_solver import SolvedRow, shares, solve_row
from foretaste.models.ials_tuning import (
    USUAL_REGULARIZATION,
    USUAL_UNOBSERVED,
    choose,
    usual_regularization,
)
from foretaste.models.interface import Moment
from foretaste.models.limits import affordable_width
from foretaste.models.listing import in_lists, some_rows
from foretaste.models.padding import for_all
from foretaste.models.recency import recent_weights
from foretaste.models.training_matrix import in_windows, live_scale, strengths
from foretaste.models.vector_model import VectorModel, VectorQuery

LEAST_DIM, MOST_DIM = 128, 256
NARROWEST, MOST_CELLS = 16, 96_000_000
"""Where vectors of people and items would hold more numbers than these, they are shorter, to this length."""


class IALSConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="ials"):
    """What iALS needs to know; what is None is chosen by `fit` and stands in the fitted model's `config`.

    Where `dim` is open it is `breadth` times the usual one: more dimensions tell more of a matrix without
    order, and cost as many times as much to score. `regularization` is λ. `unobserved` is alpha as a
    multiple of the share of pairs that were observed, which moves far less from catalog to catalog than
    alpha itself. `strength_power` see `strengths`. Histories longer than `window` are cut (see
    `in_windows`): what was taken in one evening says more about what comes next than what was taken a year
    apart. None leaves them whole. `chosen_beside` is the `usual_regularization` of the log that
    `regularization` was chosen for: that of another log is in proportion. None: it is taken as it is.
    """

    dim: int | None = None
    breadth: int = 1
    epochs: int = 5
    regularization: float | None = None
    unobserved: float | None = None
    strength_power: float = 0.5
    window: int | None = 100
    recency: Recency | None = None
    chosen_beside: float | None = None

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "IALS":  # noqa: ARG002 - learns from interactions only
        """Learn item vectors; what the configuration leaves open is chosen on a validation part first."""
        config = self.chosen(interactions, seed).beside(interactions)
        cut = in_windows(interactions, config.window)
        matrix = strengths(cut, config.strength_power)
        settings = Settings(
            dim=config.dim or LEAST_DIM,
            epochs=config.epochs,
            regularization=config.regularization or USUAL_REGULARIZATION,
            unobserved=config.unobserved or USUAL_UNOBSERVED,
        )
        factors = factorize(matrix, settings, seed)
        vectors = in_lists(CodedVectors.of(factors.items), factors.fold_in(some_rows(matrix, seed)), seed)
        return IALS(config, vectors, factors.diagonal, live_scale(cut))

    def chosen(self, interactions: Interactions, seed: int) -> "IALSConfig":
        """Return this configuration with nothing left open."""
        dim = self.dim or affordable_dim(interactions, self.breadth)
        choice = choose(
            interactions,
            seed,
            dim=dim,
            epochs=self.epochs,
            strength_power=self.strength_power,
            window=self.window,
            regularization=self.regularization,
            unobserved=self.unobserved,
            recency=self.recency,
        )
        return msgspec.structs.replace(
            self,
            dim=dim,
            regularization=choice.regularization,
            unobserved=choice.unobserved,
            recency=choice.recency,
            chosen_beside=usual_regularization(interactions)
            if self.regularization is None
            else self.chosen_beside,
        )

    def beside(self, interactions: Interactions) -> "IALSConfig":
        """Return this configuration with the regularization that suits `interactions`."""
        if self.regularization is None or self.chosen_beside is None:
            return self
        usual = usual_regularization(interactions)
        suited = self.regularization * (usual / self.chosen_beside)
        return msgspec.structs.replace(self, regularization=suited, chosen_beside=usual)


def affordable_dim(interactions: Interactions, breadth: int = 1) -> int:
    """Return `breadth` times `usual_dim`, halved while vectors of people, or items, would take too much."""
    wanted = breadth * usual_dim(len(np.unique(interactions.item)), timed=interactions.timed)
    rows = max(interactions.n_items, len(np.unique(interactions.user)))
    return affordable_width(wanted, rows, narrowest=NARROWEST, cells=MOST_CELLS)


def usual_dim(n_items: int, *, timed: bool = True) -> int:
    """Return the power of two next to the root of the number of items, from 128 to 256.

    Without times it is next to twice the root: whole histories tell more of a taste than the latest of
    them tell of the next event. Quality still rises beyond, and so does the time that a score of all items
    takes.
    """
    root = round(np.log2(max(n_items, 1)) / 2.0)
    return int(np.clip(2 ** (root if timed else root + 1), LEAST_DIM, MOST_DIM))


@dataclass(slots=True, eq=False)
class Folded:
    """A history folded in: what came of the events that speak, of which `used` are the places.

    It holds for the vectors of its items in the `edition` of what `token` stands for, and at the time `now`
    where the recency goes by age.
    """

    token: Changes
    edition: int
    now: int
    used: Int64s
    solved: SolvedRow

    @property
    def nbytes(self) -> int:
        """How many bytes what was solved takes."""
        return self.solved.vector.nbytes + self.solved.factor.nbytes


class IALS(VectorModel):
    """Item vectors; a person's vector is solved for from their history, once until it changes."""

    name: ClassVar[str] = "ials"

    def __init__(
        self,
        config: IALSConfig,
        vectors: CodedVectors,
        diagonal: Floats,
        scale: float,
        slot: object | None = None,
        people: "IALS | None" = None,
        token: Changes | None = None,
    ) -> None:
        self._config = config
        self._vectors = vectors
        self._unobserved = diagonal
        self._scale = np.float32(scale)
        self._recency = config.recency or Recency()
        self._by_age = self._recency.half_life_seconds is not None
        self._slot, self._token = slot or object(), token or Changes()
        self._people = people

    @property
    def config(self) -> IALSConfig:
        """The configuration, nothing left open."""
        return self._config

    @property
    def item_factors(self) -> Floats:
        """All item vectors, float32 [n_items, dim], written out anew."""
        return self._vectors.all()

    def factors_of(self, items: Ordinals) -> Floats:
        """Return the vectors of `items`, float32 [len(items), dim]; 0 for items outside."""
        return self._vectors.at(items)

    def with_factors(self, items: Ordinals, factors: Floats) -> Self:
        """Return the same model with other or more vectors of `items`, all else as it was learnt."""
        vectors = self._vectors.with_rows(items, factors)
        return type(self)(self._config, vectors, self._unobserved, float(self._scale), self._slot)

    def rewritten(self, items: Ordinals, factors: Floats) -> Self:
        """Do as `with_factors`, in the memory of this model if there is room; the `basis` stays the same.

        This one has to come from `with_factors`, and is not asked any more.
        """
        vectors = self._vectors.rewritten(items, factors)
        self._token.note(items)
        scale = float(self._scale)
        return type(self)(self._config, vectors, self._unobserved, scale, self._slot, token=self._token)

    def alone(self, factors: Floats) -> "IALS":
        """Return a model of items with these vectors alone, float32 [n, dim], that folds in as this one."""
        vectors = self._vectors.alone(factors)
        return type(self)(self._config, vectors, self._unobserved, float(self._scale), people=self)

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return the inner products with the history's vector; see `Model`."""
        person = self.folded(history, moment.now).solved.vector
        if items is None:
            return for_all(self._vectors.products(person), moment.n_items)
        return self._vectors.products_of(items, person)

    def query(self, history: History, moment: Moment) -> VectorQuery | None:
        """Return the history's vector and the items' where these are in lists; see `VectorModel`."""
        if self._vectors.lists is None:
            return None
        return VectorQuery(self._vectors, self.folded(history, moment.now).solved.vector)

    def score_many(self, histories: Sequence[History], moment: Moment) -> Floats:
        """Return `score` of each history as one product of matrices; see `ManyScorer`."""
        people = np.stack([self.folded(history, moment.now).solved.vector for history in histories])
        scores = np.zeros((len(histories), moment.n_items), np.float32)
        self._vectors.products_of_many(people, scores[:, : len(self._vectors)])
        return scores

    def basis(self, moment: Moment) -> object | None:  # noqa: ARG002 - what was learnt stays
        """Return what stands for the item vectors, `Changes`; see `Model`."""
        return None if self._by_age else self._token

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return each event's exact share of the least-squares solution's score; see `Model`."""
        return np.asarray(self.explain_each(history, np.array([item], np.int32), moment)[0])

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return each event's exact share for each item; see `Model`."""
        each = np.zeros((len(items), len(history)), np.float32)
        folded = self.folded(history, moment.now)
        if len(folded.used):
            vectors, weight, used = self.rows(history, moment.now)
            asked = self._vectors.at(items)
            each[:, used] = shares(vectors, weight, self._diagonal(weight), folded.solved.factor, asked)
        return each

    def vectors(self, items: Ordinals) -> Floats | None:
        """Return the item vectors at unit length; see `Model`."""
        return self._vectors.unit(items)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the vectors, `diagonal` (see `Factors`) and `scale`, the strength of an event per weight."""
        scale = np.array([self._scale], np.float32)
        return {**self._vectors.arrays(), "diagonal": self._unobserved, "scale": scale}

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the model; vectors that were stored as `items`, float32 [n_items, dim], are rounded."""
        chosen = msgspec.convert(dict(config), IALSConfig)
        told = arrays.get("items")
        vectors = CodedVectors.from_arrays(arrays) if told is None else CodedVectors.of(told)
        return cls(chosen, vectors, arrays["diagonal"], float(arrays["scale"][0]))

    def folded(self, history: History, now: int) -> Folded:
        """Return the history folded in, as it was worked out before if that still holds."""
        if self._people is not None:
            return self._people.folded(history, now)
        kept: Folded | None = history.memo.get(self._slot)
        if kept is not None and self._still_holds(kept, history, now):
            return kept
        vectors, weight, used = self.rows(history, now)
        solved = solve_row(vectors, weight, self._diagonal(weight))
        folded = Folded(self._token, self._token.edition, now, used, solved)
        if len(history):
            history.memo[self._slot] = folded
        return folded

    def _still_holds(self, folded: Folded, history: History, now: int) -> bool:
        token = self._token
        if folded.token is not token or (self._by_age and folded.now != now):
            return False
        if token.concern(history.item, folded.edition):
            return False
        folded.edition = token.edition
        return True

    def rows(self, history: History, now: int) -> tuple[Floats, Floats, Int64s]:
        """Return vectors and strengths of the events that count, and their places in the history."""
        if self._people is not None:
            return self._people.rows(history, now)
        weight = recent_weights(history, self._recency, now) * self._scale
        known = (history.item >= 0) & (history.item < len(self._vectors))
        used = np.flatnonzero(known & (weight != 0.0))
        return self._vectors.at(history.item[used]), weight[used], used

    def _diagonal(self, weight: Floats) -> Floats:
        regularization = np.float32(self._config.regularization or 0.0)
        diagonal: Floats = self._unobserved + regularization * np.abs(weight).sum(dtype=np.float32)
        return diagonal
