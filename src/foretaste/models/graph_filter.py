"""A filter of the item graph: what goes together, with the loud and obvious made softer.

With P the normalized item graph (see `graph_spectrum`) and s its largest eigenvalue, row i column j is

    n_i^(½ - event) · [ P exp(-sharpness · P / s) ]_ij · n_j^(½ - target)

n being how much there is of an item; of every row the `neighbours` largest values are kept, the diagonal
is zero. `sharpness` 0 leaves scaled co-occurrence: RP3beta has the exponents (alpha, alpha, beta), the cosine
(½, 0, ½). The exponential, a blur with a sharpening after it, is the filter of Choi et al.,
"Blurring-sharpening process models for collaborative filtering", SIGIR 2023; of the polynomials of Park,
Shin, Shin, "Turbo-CF", SIGIR 2024, the second and third order are its first terms. It differs from P only
where eigenvalues are large, so P is exact and the difference is taken on the `rank` largest eigenvectors.
With `low_pass` the ideal low-pass of both papers is added to P before it is sharpened: so many times
n_i^-½ [ V V' ]_ij n_j^½, V being these eigenvectors.
"""

from typing import ClassVar

import msgspec
import numpy as np

from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.graph_filter_rows import Filter, filtered_rows
from foretaste.models.graph_filter_tuning import choose
from foretaste.models.item_to_item import LinearConfig, LinearItems
from foretaste.models.limits import affordable_width
from foretaste.models.training_matrix import longest_within, strengths, with_histories_up_to

LEAST_RANK, MOST_NUMBERS = 32, 48_000_000
"""Where the eigenvectors would hold more numbers than these there are fewer of them, at least so many."""
LEAST_NEIGHBOURS, MOST_ENTRIES = 20, 48_000_000
"""Where all rows would hold more entries than these they are shorter, at least so long."""
MOST_PAIRS = 20_000_000_000
"""Pairs in a history are gone through one by one, so many in all; longer histories are cut beyond them."""


class GraphFilterConfig(LinearConfig, frozen=True, kw_only=True, tag_field="kind", tag="graph_filter"):
    """What the graph filter needs to know; what is None is chosen by `fit`.

    `event`, `target` and `sharpness` stand above; `user` is the exponent of people's amounts in P: the
    higher, the less long histories count. `strength_power` see `strengths`. `rank` and `neighbours` are
    less in a large catalog; of a history longer than `longest` (None: none is) only the latest so many count.
    `low_pass` is not chosen by `fit`, and what is chosen is so without it.
    """

    event: float = 0.5
    user: float | None = None
    target: float | None = None
    sharpness: float | None = None
    rank: int = 256
    neighbours: int = 300
    strength_power: float = 0.5
    longest: int | None = None
    low_pass: float = 0.0

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "GraphFilter":  # noqa: ARG002 - learns from interactions only
        """Learn the rows; what the configuration leaves open is chosen on a validation part first."""
        config = self.chosen(interactions, seed)
        matrix = strengths(config.within(interactions, seed), config.strength_power)
        return GraphFilter(config, filtered_rows(matrix, config.filter(), config.neighbours, seed))

    def chosen(self, interactions: Interactions, seed: int) -> "GraphFilterConfig":
        """Return this configuration with nothing left open."""
        if None not in {self.user, self.target, self.sharpness, self.recency}:
            return self
        limited = self.limited(interactions)
        choice = choose(
            limited.within(interactions, seed),
            seed,
            limited.filter(),
            opened=(self.user is None, self.target is None, self.sharpness is None),
            strength_power=self.strength_power,
            recency=self.recency,
        )
        return msgspec.structs.replace(
            limited,
            user=choice.filter.user,
            target=choice.filter.target,
            sharpness=choice.filter.sharpness,
            recency=choice.recency,
        )

    def limited(self, interactions: Interactions) -> "GraphFilterConfig":
        """Return this configuration within the limits of time and memory that the code sets itself."""
        n_items = interactions.n_items
        lengths = np.bincount(interactions.user, minlength=1)
        cells, entries = MOST_NUMBERS, MOST_ENTRIES
        return msgspec.structs.replace(
            self,
            rank=affordable_width(self.rank, n_items, narrowest=min(LEAST_RANK, self.rank), cells=cells),
            neighbours=affordable_width(
                self.neighbours, n_items, narrowest=min(LEAST_NEIGHBOURS, self.neighbours), cells=entries
            ),
            longest=self.longest or longest_within(lengths, MOST_PAIRS),
        )

    def within(self, interactions: Interactions, seed: int) -> Interactions:
        """Return the interactions without what is beyond `longest` of each history."""
        if self.longest is None:
            return interactions
        return with_histories_up_to(interactions, self.longest, seed)

    def filter(self) -> Filter:
        """Return the filter, with the usual numbers in place of what is None."""
        usual = Filter(event=self.event, target=usual_target(self.event), rank=self.rank)
        return Filter(
            event=self.event,
            user=usual.user if self.user is None else self.user,
            target=usual.target if self.target is None else self.target,
            sharpness=usual.sharpness if self.sharpness is None else self.sharpness,
            rank=self.rank,
            low_pass=self.low_pass,
        )


def usual_target(event: float) -> float:
    """Return the exponent of targets to begin with: held back in the history, items need it less there."""
    return (1.0 - event) / 4.0


class GraphFilter(LinearItems[GraphFilterConfig]):
    """The filtered item graph, its rows shortened."""

    name: ClassVar[str] = "graph_filter"
    config_type = GraphFilterConfig
