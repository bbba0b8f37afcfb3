"""The ranker of slates: what it knows, its trees, and how it is learnt from slates that were shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles
from foretaste.ranking.past import Past
from foretaste.ranking.slate_features import Columns, SlateRequest, slate_features
from foretaste.ranking.slate_knowledge import SlateKnowledge
from foretaste.ranking.trees import Trees


class RankerReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the ranker was worth on later slates than it had learnt from: NDCG@10 of clicks of several orders.

    `ahead` is how far it is ahead of `rival`, the order it has to beat, in what clicks are worth as if all
    places were looked at alike, and `ahead_low` the lower end of its 95 % interval by person.
    """

    slates: int
    people: int
    ranker: float
    as_shown: float
    click_rate: float
    rival: str
    ahead: float
    ahead_low: float
    rounds: dict[str, int]
    plain: str = ""
    """The feature that alone was at least as good as the trees, and so is the score; empty where none was."""


@dataclass(frozen=True, slots=True, eq=False)
class SlateRanker:
    """Orders candidates by `score`: `trust` times the score that it had to beat, where it is one, plus trees.

    So what was never shown, of which trees learn nothing, stays where that score puts it. The trees were made
    by LightGBM, which scoring does not need.
    """

    knowledge: SlateKnowledge
    columns: Columns
    trees: Trees
    report: RankerReport
    trust: float = 0.0

    @property
    def n_items(self) -> int:
        """How many item ordinals it knows; later ones are judged by what is said of them."""
        return len(self.knowledge.traits.rows)

    def features(self, request: SlateRequest) -> Doubles:
        """Return the features of the candidates, float64 [n, n_features]: the function training used."""
        return slate_features(request, self.knowledge, self.columns)

    def score(self, request: SlateRequest) -> Doubles:
        """Return a score of each candidate, float64 [n]; the larger, the likelier it is taken."""
        features = self.features(request)
        if self.report.plain:
            return self._column(features, self.report.plain)
        found = self.trees.score(features)
        return found + self.trust * self._column(features, self.report.rival) if self.trust else found

    def _column(self, features: Doubles, name: str) -> Doubles:
        return np.ascontiguousarray(features[:, self.columns.names.index(name)])

    def and_also(self, looks: Doubles, clicks: Doubles) -> "SlateRanker":
        """Return the ranker that knows of more looks and clicks, float64 by item, also of younger ones."""
        return replace(self, knowledge=self.knowledge.and_also(looks, clicks))

    def warm_up(self) -> None:
        """Compile what scoring runs, or load it from the disk's cache, before the first request."""
        item = np.zeros(min(1, self.n_items), np.int32)
        past = Past(item, np.ones(len(item), np.bool_), np.zeros(len(item), np.int64))
        self.score(SlateRequest(item=item, past=past, now=0))

    def describe(self) -> dict[str, Any]:
        """Return columns and report as JSON values."""
        return {
            "columns": msgspec.to_builtins(self.columns),
            "report": msgspec.to_builtins(self.report),
            "trust": self.trust,
        }

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return all that was learnt as arrays."""
        parts = {"knowledge": self.knowledge.arrays(), "trees": self.trees.arrays()}
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    @classmethod
    def from_arrays(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the ranker; raise `CorruptArtifactError` where its parts do not fit together."""
        columns = msgspec.convert(description["columns"], Columns)
        known = _part(arrays, "knowledge.")
        return cls(
            knowledge=SlateKnowledge.from_arrays(known),
            columns=columns,
            trees=Trees.from_arrays(_part(arrays, "trees."), len(columns.names)),
            report=msgspec.convert(description["report"], RankerReport),
            trust=float(description.get("trust", 0.0)),
        )


def features_of(requests: Sequence[SlateRequest], knowledge: SlateKnowledge, columns: Columns) -> Doubles:
    """Return the features of all candidates of `requests`, one request after the other."""
    rows = [slate_features(request, knowledge, columns) for request in requests]
    return np.concatenate([np.empty((0, len(columns.names))), *rows])


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
