"""The blend: one score out of the scores of several sources, with weights learnt on past queries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec
import numpy as np

from foretaste.domain.arrays import Doubles, Int64s
from foretaste.ranking.blend_fit import BLENDS, BlendOptions, Found, fitted
from foretaste.ranking.contexts import N_CONTEXTS, context_at
from foretaste.ranking.listwise import gains
from foretaste.ranking.samples import Sample, stack


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """Weights of sources, by context: length of history, in a session or not (see `contexts`).

    The blended score of an item is `weights[context] @ (standardized scores, boost)`, in log odds of
    being the next: `weights` float64 [N_CONTEXTS, n_sources + 1], all ≥ 0, the boost's last. The sources that
    answer people without a history are others than those that answer the rest; each kind weighs 0 where
    the other answers.
    `report` says how the form was chosen: NDCG@10 on the judged samples of each form. Weights times
    `sharpness` are those that learning found, before they were made log odds.
    """

    sources: tuple[str, ...]
    weights: Doubles
    form: str = "even"
    report: Mapping[str, float] = field(default_factory=dict)
    sharpness: float = 1.0

    @classmethod
    def even(cls, sources: Sequence[str], boost: float = 0.1) -> Self:
        """Return the blend of one who knows nothing: all sources alike."""
        weights = np.ones((N_CONTEXTS, len(sources) + 1))
        weights[:, -1] = boost
        return cls(sources=tuple(sources), weights=weights)

    @classmethod
    def fit(
        cls,
        samples: Sequence[Sample],
        *,
        sources: Sequence[str],
        seed: int,
        fleeting: Collection[str] = (),
        options: BlendOptions | None = None,
    ) -> Self:
        """Learn the weights from `samples` (in order of time), whose columns are `sources` and the boost.

        Forms compete on the latest samples by NDCG@10 after being fitted on the earlier ones: weights by
        context, common weights, and each single source. A simpler form wins only if it is ahead by more than
        a standard error; the winner is fitted again on all samples. So the blend is not worse than its best
        source, as far as the samples can tell. What hardly weighs in a context weighs nothing there, and what
        hardly weighs anywhere is left out of `sources`. Samples of an empty history teach what people
        without one are told; and those who come back are taken for half strangers, as far as their own
        samples do not tell otherwise. Of both there are few independent samples, so their weights stay near
        the likeliest.

        Where samples are too few to learn from, all sources count alike, or all but the `fleeting`, which
        live on what is new: whichever is better on the samples there are.
        """
        options = options or BlendOptions()
        calm = msgspec.structs.replace(options, prior=options.settled, anchor=options.settled)
        cold = _found([sample for sample in samples if not sample.length], sources, seed, calm)
        strangers = None if cold is None else _widened(cold, range(len(sources)))[0]
        warm = _found([sample for sample in samples if sample.length], sources, seed, options, strangers)
        few = _of_few(samples, sources, fleeting, options)
        if cold is None and warm is None:
            weights = cls.even(sources, options.least_boost).weights
            weights[2:] = few
            return cls(tuple(sources), weights)
        kept = sorted({source for found in (cold, warm) if found for source in found.sources})
        if warm is None:
            kept = list(range(len(sources)))
        names = tuple(sources[source] for source in kept)
        weights = cls.even(names, options.least_boost).weights
        if cold is not None:
            weights[:2] = _widened(cold, kept)[0]
        weights[2:] = few[[*kept, -1]] if warm is None else _widened(warm, kept)[2:]
        if warm is not None and cold is None:
            weights[:2] = _widened(warm, kept)[:2]
        audible = np.flatnonzero(weights[:, :-1].any(axis=0))
        names, weights = tuple(names[source] for source in audible), weights[:, [*audible, -1]]
        told = warm or cold
        report = {_named(form, sources): gain for form, gain in told.report.items()} if told else {}
        form, sharpness = (_named(told.form, sources), told.sharpness) if told else ("even", 1.0)
        return cls(names, weights, form, report, sharpness)

    def row(self, length: int, *, in_session: bool = False) -> Doubles:
        """Return the weights for a history of `length` events, float64 [n_sources + 1]."""
        return np.asarray(self.weights[context_at(length, in_session)])

    def heard(self, length: int, *, in_session: bool = False) -> tuple[str, ...]:
        """Return the sources that have a say in the context: the others need not be asked, and are not."""
        row = self.weights[context_at(length, in_session), :-1].tolist()
        return tuple([name for name, weight in zip(self.sources, row, strict=True) if weight > 0.0])

    def without(self, *names: str) -> "Blend":
        """Return the blend without some sources: what the others weigh stays as it is to each other.

        Where one of them was all that a context had, all the others count alike there.
        """
        kept = [place for place, source in enumerate(self.sources) if source not in names]
        sources = tuple(self.sources[place] for place in kept)
        weights = self.weights[:, [*kept, -1]].copy()
        before, after = self.weights[:, :-1].sum(axis=1), weights[:, :-1].sum(axis=1)
        weights[after > 0.0, :-1] *= (before[after > 0.0] / after[after > 0.0])[:, None]
        weights[after == 0.0, :-1] = 1.0
        return Blend(sources, weights, self.form, self.report, self.sharpness)

    def describe(self) -> dict[str, Any]:
        """Return the blend as JSON values; `from_description` reads them exactly."""
        return {
            "sources": list(self.sources),
            "weights": self.weights.tolist(),
            "form": self.form,
            "report": dict(self.report),
            "sharpness": self.sharpness,
        }

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> Self:
        """Return the blend that `describe` described; raise `ValueError` if it is of another shape."""
        sources = tuple(description["sources"])
        weights = np.array(description["weights"], np.float64)
        if weights.shape != (N_CONTEXTS, len(sources) + 1):
            raise ValueError(f"weights of shape {weights.shape} for {len(sources)} sources")
        report, sharpness = dict(description["report"]), float(description["sharpness"])
        return cls(sources, weights, description["form"], report, sharpness)


def _found(
    samples: Sequence[Sample],
    sources: Sequence[str],
    seed: int,
    options: BlendOptions,
    strangers: Doubles | None = None,
) -> Found | None:
    """Return what `samples` teach, None where they are too few or no source ever proposed what was taken."""
    table = stack(samples, len(sources))
    if len(table) < options.fewest or not table.reached(np.arange(len(sources))).any():
        return None
    if len(table) > options.most:
        chosen = np.random.default_rng(seed).choice(len(table), options.most, replace=False)
        table = table.take(np.sort(chosen))
    return fitted(table, len(sources), options.for_people(table), strangers)


def _of_few(
    samples: Sequence[Sample], sources: Sequence[str], fleeting: Collection[str], options: BlendOptions
) -> Doubles:
    """Return one row of weights, float64 [n_sources + 1], by samples of people too few to learn more from."""
    alike = np.append(np.ones(len(sources)), options.least_boost)
    lasting = alike * [*(source not in fleeting for source in sources), True]
    if not lasting[:-1].any():
        return alike
    table = stack([sample for sample in samples if sample.length], len(sources))
    better = len(table) and gains(table, alike).sum() > gains(table, lasting).sum()
    return alike if better else np.asarray(lasting)


def _widened(found: Found, kept: Sequence[int]) -> Doubles:
    """Return the weights of `found` with a column for each of `kept`, 0 where it left a source out."""
    weights = np.zeros((N_CONTEXTS, len(kept) + 1))
    places: Int64s = np.searchsorted(np.asarray(kept, np.int64), np.asarray(found.sources, np.int64))
    weights[:, [*places.tolist(), -1]] = found.weights
    return weights


def _named(form: str, sources: Sequence[str]) -> str:
    return form if form in BLENDS else sources[int(form)]
