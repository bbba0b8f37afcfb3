"""Questions on which trials are judged: the blend's candidates, and what a changed source makes of them.

A question is asked once for good: its candidates, the other sources' standardized scores of them and its
truth are kept. A trial scores the same candidates in the same moments of the replay; so trials are
compared pair by pair, and by what they add to the blend, not by what they are alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.query import Query
from foretaste.evaluation.judgement import Advance, unheard
from foretaste.evaluation.replay import drawn
from foretaste.features.state import State
from foretaste.models.interface import Model, Moment
from foretaste.pipeline.artifact import Artifact, assemble
from foretaste.pipeline.occasion import moment_of
from foretaste.pipeline.scoring import Scored, scored
from foretaste.pipeline.view import View
from foretaste.ranking.blend import Blend
from foretaste.ranking.boost import boosts
from foretaste.ranking.calibration import Calibration
from foretaste.ranking.listwise import fit_weights, gains
from foretaste.ranking.samples import Sample, SampleTable, stack
from foretaste.training.asking import asked_at, asked_between
from foretaste.training.evaluate import UNPUBLISHED, state_before
from foretaste.training.prepare import Prepared

MOST_CELLS = 48_000_000
"""Scores kept for all questions together: 192 MB."""
LEARNT_ON = 1_500
"""Questions from which the weights of the sources are learnt while searching."""
LEAST_BOOST = 0.1
SMALLEST = 1e-6
LEAST_PART = 0.1
"""What a source weighs at least while it is searched, as a part of the weightiest: else it could not rise."""


@dataclass(slots=True, eq=False)
class Practice:
    """Questions before the judging part, rising in time.

    `position` int64 [n] are those of their events; `table` holds every source's standardized scores of the
    candidates and, last, the boost, and `item`, int32, which these are, row by row. `weights` float64
    [sources + 1] are those of the blend, the same in every context.
    """

    prepared: Prepared
    artifact: Artifact
    state: State
    before: Mapping[str, NDArray[Any]] | None
    sources: tuple[str, ...]
    position: Int64s
    item: Ordinals
    table: SampleTable
    weights: Doubles

    def __len__(self) -> int:
        """How many questions there are."""
        return len(self.position)

    def gained(self, chosen: Int64s) -> Doubles:
        """Return the blend's NDCG@10 of the questions `chosen`, float64 [len(chosen)]."""
        return gains(self.table.take(chosen), self.weights)

    def without(self, source: str, chosen: Int64s) -> Floats:
        """Return the blend's scores of the candidates of `chosen` without `source`, float32 [rows]."""
        weights = self.weights.copy()
        weights[self.sources.index(source)] = 0.0
        return np.asarray(self.table.take(chosen).columns @ weights.astype(np.float32))

    def own(self, source: str, chosen: Int64s) -> Floats:
        """Return the standardized scores of `source` as it is now, float32 [rows]."""
        return np.array(self.table.take(chosen).columns[:, self.sources.index(source)])

    def gained_with(self, rest: Floats, column: Floats, weight: float, chosen: Int64s) -> Doubles:
        """Return the NDCG@10 of `rest`, from `without`, with a source's scores `column` times `weight`."""
        bare = replace(self.table, columns=self.table.columns[:, :0], proposed=self.table.proposed[:, :0])
        table = replace(bare.take(chosen), columns=np.stack((rest, column), axis=1))
        return gains(table, np.array([1.0, weight]))

    def scores_of(self, models: Sequence[Model], chosen: Int64s) -> list[Floats]:
        """Return each model's standardized scores of the candidates of `chosen` (rising), float32 [rows]."""
        start = self.table.start
        begin = np.concatenate(([0], np.cumsum(np.diff(start)[chosen])))
        found = [np.empty(begin[-1], np.float32) for _ in models]
        for place, moment, history in self._replayed(chosen):
            question = int(chosen[place])
            items = self.item[start[question] : start[question + 1]]
            for model, column in zip(models, found, strict=True):
                raw = model.score(history, moment, items)
                column[begin[place] : begin[place + 1]] = _standardized(raw)
        return found

    def weight_of(self, source: str) -> float:
        """Return what `source` weighs while it is searched."""
        return float(
            max(self.weights[self.sources.index(source)], LEAST_PART * self.weights[:-1].max(initial=0.0))
        )

    def adopt(self, source: str, model: Model) -> bool:
        """Let `source` be `model` from now on and learn the weights anew; no if the blend is worse for it."""
        every, place, columns = np.arange(len(self)), self.sources.index(source), self.table.columns
        before, weights, score = columns[:, place].copy(), self.weights, self.gained(every).mean()
        columns[:, place] = self.scores_of([model], every)[0]
        self.learn()
        if self.gained(every).mean() > score:
            return True
        columns[:, place] = before
        self.weights = weights
        return False

    def learn(self) -> None:
        """Learn the weights of the sources, the same in every context."""
        some = drawn(np.arange(len(self)), LEARNT_ON, self.prepared.seed)
        count = len(self.sources)
        least = np.append(np.zeros(count), LEAST_BOOST)
        even = np.append(np.full(count, 1.0 / count), LEAST_BOOST)
        self.weights = fit_weights(self.table.take(some), start=even, least=least, prior=1.0)

    def shares(self) -> dict[str, float]:
        """Return each source's part of the weight of all."""
        each = {source: self.weight_of(source) for source in self.sources}
        total = sum(each.values()) or 1.0
        return {source: weight / total for source, weight in each.items()}

    def _replayed(self, chosen: Int64s) -> Iterator[tuple[int, Moment, History]]:
        """Yield place, moment and history of each chosen question, with the state as it was then."""
        prepared, state = self.prepared, self.state
        if self.before is not None:
            state.restore(self.before)
        done = prepared.tune
        for place, position in enumerate(self.position[chosen].tolist()):
            if prepared.timed:
                state.apply(prepared.events.take(done, position))
                done = position
            query, view = _question(prepared, state, self.artifact, position)
            yield place, moment_of(query, view), state.history(view.user)


def practice(
    prepared: Prepared, models: Mapping[str, Model], most: int, *, advance: Advance = unheard
) -> Practice:
    """Ask at most `most` questions of the tuning part, drawn by the seed, of the blend of `models`."""
    sources, scenario = tuple(models), prepared.config.scenario
    room = MOST_CELLS // (len(sources) * scenario.per_source * (len(sources) + 1))
    asked = asked_between(prepared, prepared.tune, prepared.test)
    position = drawn(asked, min(most, max(room, 1)), prepared.seed)
    state = state_before(prepared, prepared.tune)
    before = state.snapshot() if prepared.timed else None  # without times it stays as it is
    artifact = assemble(models, Blend.even(sources), Calibration.flat(), UNPUBLISHED)
    item, samples = _asked(prepared, state, artifact, position, advance)
    weights = np.ones(len(sources) + 1)
    made = Practice(
        prepared, artifact, state, before, sources, position, item, stack(samples, len(sources)), weights
    )
    made.learn()
    return made


def _asked(
    prepared: Prepared, state: State, artifact: Artifact, position: Int64s, advance: Advance
) -> tuple[Ordinals, list[Sample]]:
    """Return the candidates of every question, its truth among them, and what every source says of them."""
    done = prepared.tune
    items, samples = [np.empty(0, np.int32)], []
    for number, place in enumerate(position.tolist()):
        if prepared.timed:
            state.apply(prepared.events.take(done, place))
            done = place
        query, view = _question(prepared, state, artifact, place)
        ranked = scored(query, view)
        item, sample = _sample(ranked, view, int(prepared.events.item[place]))
        items.append(item)
        samples.append(sample)
        if number % 100 == 0:
            advance(number / len(position))
    advance(1.0)
    return np.concatenate(items), samples


def _question(prepared: Prepared, state: State, artifact: Artifact, position: int) -> tuple[Query, View]:
    """Return what the event at `position` asks, of the state as it is."""
    corpus, scenario, user = prepared.corpus, prepared.config.scenario, int(prepared.events.user[position])
    view = View(
        state=state,
        catalog=corpus.catalog,
        artifact=artifact,
        scenario=scenario,
        item_names=corpus.item_names,
        type_names=corpus.type_names,
        user=user,
        circumstances=prepared.circumstances_at(position),
    )
    return Query(now=asked_at(prepared, position), seed=0, scenario=scenario.name), view


def _sample(ranked: Scored, view: View, truth: int) -> tuple[Ordinals, Sample]:
    """Return the candidates with the truth among them, and what all sources of the artifact say of them."""
    occasion, candidates, models = ranked.occasion, ranked.candidates, view.artifact.models
    place = int(np.searchsorted(candidates.item, truth))
    found = place < len(candidates.item) and candidates.item[place] == truth
    item = candidates.item if found else np.insert(candidates.item, place, truth).astype(np.int32)
    columns = np.zeros((len(item), len(models) + 1), np.float32)
    for number, (source, model) in enumerate(models.items()):
        if found and source in candidates.sources:
            raw = candidates.score[candidates.sources.index(source)]
        else:
            raw = model.score(occasion.history, occasion.moment, item)
        columns[:, number] = _standardized(raw)
    if occasion.interest is not None:
        columns[:, -1] = boosts(occasion.interest, view.catalog.categories, item)
    return item, Sample(
        columns=columns,
        proposed=np.zeros((len(item), len(models)), np.bool_),
        truth=place,
        length=len(occasion.history),
    )


def _standardized(raw: Floats) -> Floats:
    """Return scores with mean 0 and deviation 1; zeros where all are alike."""
    wide = raw.astype(np.float64)
    wide -= wide.mean()
    deviation = float(np.sqrt(np.mean(wide**2)))
    return (wide / deviation if deviation > SMALLEST else np.zeros_like(wide)).astype(np.float32)
