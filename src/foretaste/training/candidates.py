"""What is tried: values of a source's parameters, and the models that they make."""

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import msgspec
import numpy as np

from foretaste.domain.arrays import Doubles
from foretaste.domain.interactions import Interactions
from foretaste.models.interface import Model
from foretaste.models.training_matrix import with_users_up_to
from foretaste.training.prepare import Prepared
from foretaste.training.search_space import Parameter, Values, with_values

FACTORS = (0.0, 0.5, 0.7, 1.0, 1.4, 2.0)
"""A changed source may weigh less or more than it did; what gains nothing over its absence is no gain."""
FULL_FIT = 400_000
"""Trials are fitted on the histories of so many interactions first, what wins among them on all."""


@dataclass(slots=True, eq=False)
class Mode:
    """The search in one source: among what needs a fit (`refit`), or among what needs none.

    `trials` were tried so far, `failures` rounds in a row brought nothing; `start` is where the search began.
    """

    source: str
    refit: bool
    space: tuple[Parameter, ...]
    start: Values
    trials: int = 0
    failures: int = 0


@dataclass(slots=True, eq=False)
class Candidate:
    """One proposal: its model, fitted on `share` of the window, and what the blend gains with it.

    `gained` holds NDCG@10, float64 [factors, questions], for each stage so far.
    """

    values: dict[str, Any]
    model: Model
    share: float = 1.0
    gained: list[Doubles] = field(default_factory=list)

    @property
    def factor(self) -> int:
        """Which of `FACTORS` suits it best."""
        return int(np.argmax(np.concatenate(self.gained, axis=1).mean(axis=1)))

    @property
    def best(self) -> Doubles:
        """The NDCG@10 of every question so far with that factor."""
        return np.asarray(np.concatenate(self.gained, axis=1)[self.factor])


class TrialFits:
    """Makes the models of trials, on what `learn` fits on; `seconds` holds how long fits take by source."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._window = prepared.interactions(prepared.tune)
        self._sample: Interactions | None = None
        self.seconds: dict[str, float] = {}

    @property
    def timed(self) -> bool:
        """Whether what is fitted on has an order."""
        return self._window.timed

    @property
    def share(self) -> float:
        """The part of the window that trials are first fitted on."""
        return min(1.0, FULL_FIT / max(len(self._window), 1))

    def candidate(self, mode: Mode, incumbent: Model, values: dict[str, Any]) -> Candidate | None:
        """Return `incumbent` with `values`; None where it cannot be made."""
        if not mode.refit:
            config = with_values(incumbent.config, values)
            arrays = dict(incumbent.arrays())
            return Candidate(values, type(incumbent).from_arrays(msgspec.to_builtins(config), arrays))
        if self.share == 1.0:
            return self.whole(mode, incumbent, values)
        if self._sample is None:
            self._sample = with_users_up_to(self._window, FULL_FIT, self._prepared.seed)
        return self._fitted(mode, incumbent, values, self._sample, self.share)

    def whole(self, mode: Mode, incumbent: Model, values: dict[str, Any]) -> Candidate | None:
        """Return `incumbent` with `values`, fitted on the whole window; None where it cannot be."""
        return self._fitted(mode, incumbent, values, self._window, 1.0)

    def _fitted(
        self, mode: Mode, incumbent: Model, values: dict[str, Any], window: Interactions, share: float
    ) -> Candidate | None:
        began = perf_counter()
        catalog, seed = self._prepared.corpus.catalog, self._prepared.seed
        try:
            model = with_values(incumbent.config, values).fit(window, seed, catalog)
        except Exception:  # noqa: BLE001 - whatever is wrong with one trial must not end the others
            return None
        took = perf_counter() - began
        self.seconds[mode.source] = max(self.seconds.get(mode.source, 0.0), took)
        return Candidate(values, model, share)
