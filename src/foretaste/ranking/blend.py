"""The blend: one score out of the scores of several sources, with weights learnt on past queries."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import msgspec
import numpy as np

from foretaste.domain.arrays import Doubles, Int64s
from foretaste.ranking.listwise import fit_weights, gains
from foretaste.ranking.samples import Sample, SampleTable, stack

BLENDS = ("by context", "common")
"""The forms of a blend proper; any other form is the name of a single source."""

LENGTHS = (1, 2, 5, 20)
"""Histories shorter than 1, 2, 5, 20 and longer ones have weights of their own."""


class BlendOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the blend is learnt."""

    least_boost: float = 0.1
    """The boost's weight is never below this: the last hour's categories always count (in log odds)."""

    prior: float = 100.0
    """The pull of a context's weights to the common ones, as a number of samples."""

    fewest: int = 30
    """With fewer usable samples nothing is learnt and all sources count alike."""

    most: int = 6000
    """More samples than this are thinned out evenly at random."""

    least_part: float = 0.04
    """A source that nowhere weighs this part of the weightiest one is left out: it would only cost time."""

    judged: float = 0.4
    """The latest part of the samples, on which the forms of blend are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """Weights of sources, by length of history.

    The blended score of an item is `weights[context] @ (standardized scores, boost)`, in log odds of
    being the next: `weights` float64 [len(LENGTHS) + 1, n_sources + 1], all ≥ 0, the boost's last.
    `report` says how the form was chosen: NDCG@10 on the judged samples of each form.
    """

    sources: tuple[str, ...]
    weights: Doubles
    form: str = "even"
    report: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def even(cls, sources: Sequence[str], boost: float = 0.1) -> Self:
        """Return the blend of one who knows nothing: all sources alike."""
        weights = np.ones((len(LENGTHS) + 1, len(sources) + 1))
        weights[:, -1] = boost
        return cls(sources=tuple(sources), weights=weights)

    @classmethod
    def fit(
        cls,
        samples: Sequence[Sample],
        *,
        sources: Sequence[str],
        seed: int,
        options: BlendOptions | None = None,
    ) -> Self:
        """Learn the weights from `samples` (in order of time), whose columns are `sources` and the boost.

        Three forms compete on the latest samples by NDCG@10 after being fitted on the earlier ones:
        weights by context, common weights, and each single source, which must be ahead by more than a
        standard error; the best is fitted again on all samples. So the blend is not worse than its best
        source, as far as the samples can tell. Sources that turn out to weigh next to nothing are left out
        of `sources`, and the rest compete once more.
        """
        options = options or BlendOptions()
        table = stack(samples, len(sources))
        if len(table) < options.fewest:
            return cls.even(sources, options.least_boost)
        if len(table) > options.most:
            chosen = np.random.default_rng(seed).choice(len(table), options.most, replace=False)
            table = table.take(np.sort(chosen))
        names = tuple(sources)
        gained = _compete((*BLENDS, *names), table, names, options)
        report = {form: float(gain.mean()) for form, gain in gained.items()}
        form = _winner(gained, names)
        weights = _fit_form(form, table, names, options)
        heard = np.flatnonzero(_part(weights) >= options.least_part)
        if form in BLENDS and 0 < len(heard) < len(names):
            table, names = table.among(heard), tuple(names[int(source)] for source in heard)
            again = _compete(BLENDS, table, names, options)
            form = max(BLENDS, key=lambda form: again[form].mean())
            weights = _fit_form(form, table, names, options)
        elif form not in BLENDS:
            names, weights = (form,), weights[:, [names.index(form), -1]]
        return cls(names, weights, form, report)

    def row(self, length: int) -> Doubles:
        """Return the weights for a history of `length` events, float64 [n_sources + 1]."""
        return np.asarray(self.weights[bisect_right(LENGTHS, length)])

    def describe(self) -> dict[str, Any]:
        """Return the blend as JSON values; `from_description` reads them exactly."""
        return {
            "sources": list(self.sources),
            "weights": self.weights.tolist(),
            "form": self.form,
            "report": dict(self.report),
        }

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> Self:
        """Return the blend that `describe` described."""
        return cls(
            sources=tuple(description["sources"]),
            weights=np.array(description["weights"], np.float64),
            form=description["form"],
            report=dict(description["report"]),
        )


def context_of(length: Int64s) -> Int64s:
    """Return the context of histories of `length` events."""
    return np.searchsorted(np.array(LENGTHS), length, side="right").astype(np.int64)


def _compete(
    forms: Sequence[str], table: SampleTable, sources: Sequence[str], options: BlendOptions
) -> dict[str, Doubles]:
    """Return what every form gains on the latest samples after being fitted on the earlier ones."""
    cut = int(len(table) * (1.0 - options.judged))
    early, late = table.take(np.arange(cut)), table.take(np.arange(cut, len(table)))
    return {form: _judge(late, _fit_form(form, early, sources, options)) for form in forms}


def _winner(gained: Mapping[str, Doubles], sources: Sequence[str]) -> str:
    """Return the better blend, or the best single source if it is ahead by more than a standard error."""
    best = max(BLENDS, key=lambda form: gained[form].mean())
    alone = max(sources, key=lambda source: gained[source].mean())
    ahead = gained[alone] - gained[best]
    return alone if ahead.mean() > ahead.std() / np.sqrt(len(ahead)) else best


def _part(weights: Doubles) -> Doubles:
    """Return each source's largest weight over the largest of all, float64 [n_sources]."""
    largest = weights[:, :-1].max(axis=0)
    return np.asarray(largest / max(largest.max(), np.finfo(np.float64).tiny))


def _fit_form(form: str, table: SampleTable, sources: Sequence[str], options: BlendOptions) -> Doubles:
    """Return the weights of a form, float64 [n_contexts, n_sources + 1], fitted on `table`."""
    used = np.array([form in (*BLENDS, source) for source in sources])
    columns = np.append(np.flatnonzero(used), len(sources))
    part = table if used.all() else replace(table, columns=np.ascontiguousarray(table.columns[:, columns]))
    least = np.zeros(len(columns))
    least[-1] = options.least_boost
    even = np.append(np.full(len(columns) - 1, 1.0 / (len(columns) - 1)), options.least_boost)
    common = fit_weights(part, start=even, least=least, prior=1.0)
    rows = np.zeros((len(LENGTHS) + 1, len(sources) + 1))
    rows[:, columns] = common
    if form == "by context":
        contexts = context_of(table.length)
        for context in np.unique(contexts):
            own = part.take(np.flatnonzero(contexts == context))
            rows[context, columns] = fit_weights(own, start=common, least=least, prior=options.prior)
    return rows


def _judge(table: SampleTable, rows: Doubles) -> Doubles:
    """Return NDCG@10 of each sample under the weights of its context, float64 [len(table)]."""
    contexts = context_of(table.length)
    gained = np.zeros(len(table))
    for context in np.unique(contexts):
        chosen = np.flatnonzero(contexts == context)
        gained[chosen] = gains(table.take(chosen), rows[context])
    return gained
