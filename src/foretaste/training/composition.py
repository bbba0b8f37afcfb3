"""What is judged: the composition that ships, each of its sources alone, others beside it, and chance."""

from collections.abc import Mapping

import msgspec
import numpy as np

from foretaste.domain.arrays import Ordinals
from foretaste.domain.circumstances import known_at
from foretaste.domain.event import EventColumns
from foretaste.domain.query import Query
from foretaste.features.state import State
from foretaste.models.entries import items_of
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.choosing import by_score, chosen
from foretaste.pipeline.compose import Ranked, sample
from foretaste.pipeline.scenario import Scenario
from foretaste.pipeline.scoring import Scored, scored
from foretaste.pipeline.view import View
from foretaste.ranking.samples import Sample
from foretaste.retrieval.selection import best_entries
from foretaste.training.contexts import Moments
from foretaste.training.corpus import Corpus

BLEND = "blend"
RANDOM = "random"
NOTHING: Ordinals = np.empty(0, np.int32)


class Composition:
    """Implements `evaluation.judgement.Judged` over one state.

    Lists, in this order: the slate of `artifact` (called `blend`), those of `others` by name, each source of
    `artifact` alone (if `sources`), and chance (called `random`, drawn by `seed`). Of every list of `blend`
    the best `remember` candidates are kept in `remembered`.
    """

    def __init__(
        self,
        corpus: Corpus,
        state: State,
        artifact: Artifact,
        scenario: Scenario,
        *,
        others: Mapping[str, Artifact] | None = None,
        sources: bool = True,
        remember: int = 0,
        seed: int = 0,
    ) -> None:
        self.state = state
        self.remembered: list[Ranked] = []
        self._remember = remember
        self._corpus = corpus
        self._scenario = scenario
        self._shipped = {BLEND: artifact, **(others or {})}
        self._sources = tuple(artifact.models) if sources else ()
        self._moments = Moments(corpus.events, corpus.contexts)
        self._generator = np.random.default_rng(seed)

    @property
    def names(self) -> tuple[str, ...]:
        """What the lists are called."""
        return (*self._shipped, *self._sources, RANDOM)

    def apply(self, events: EventColumns) -> object:
        """Fold events into the state."""
        return self.state.apply(events)

    def lists(self, user: int, now: int, k: int) -> Ordinals:
        """Return everyone's best `k` items, int32 [len(names), k]."""
        query = self._query(now, k)
        lists = np.full((len(self.names), k), -1, np.int32)
        told = self._moments.of(user, now)
        first: Scored | None = None
        for row, artifact in enumerate(self._shipped.values()):
            view = self._view(user, artifact, told)
            ranked = scored(query, view)
            first = first or ranked
            places = chosen(query, view, ranked)
            lists[row, : len(places)] = ranked.candidates.item[places]
        if first is not None:
            self._fill_alone(lists, first, k)
            self._keep(first)
        return lists

    def sample(
        self,
        user: int,
        now: int,
        truth: int,
        *,
        without: Ordinals = NOTHING,
        told: tuple[str, ...] = (),
    ) -> Sample:
        """Return what the blend learns from the fact that `user` took `truth` at `now`.

        The items `without` are neither right nor wrong, so they are no candidates. `told` are the
        circumstances that the moment's context says.
        """
        view = msgspec.structs.replace(self._view(user, self._shipped[BLEND], told), excluded=without)
        return sample(self._query(now), view, truth)

    def _fill_alone(self, lists: Ordinals, ranked: Scored, k: int) -> None:
        for place, source in enumerate(self._sources, start=len(self._shipped)):
            best = self._best_alone(source, ranked, k)
            lists[place, : len(best)] = best
        free = np.flatnonzero(ranked.occasion.allowed)
        drawn = self._generator.choice(free, min(k, len(free)), replace=False)
        lists[-1, : len(drawn)] = drawn

    def _best_alone(self, source: str, ranked: Scored, k: int) -> Ordinals:
        """Return the best `k` items that `source` proposes, best first; of all if the blend left it out."""
        candidates, occasion = ranked.candidates, ranked.occasion
        if source in candidates.sources:
            row = candidates.sources.index(source)
            own = np.flatnonzero(candidates.proposed[row])
            return candidates.item[own[np.argsort(-candidates.score[row, own], kind="stable")[:k]]]
        score = self._shipped[BLEND].models[source].score(occasion.history, occasion.moment)
        return items_of(best_entries(score, occasion.allowed, k))

    def _keep(self, ranked: Scored) -> None:
        if self._remember:
            best = by_score(ranked)[: self._remember]
            self.remembered.append(Ranked(ranked.candidates.item[best], ranked.score[best]))

    def _query(self, now: int, k: int = 10) -> Query:
        return Query(now=now, seed=0, k=k, scenario=self._scenario.name)

    def _view(self, user: int, artifact: Artifact, told: tuple[str, ...]) -> View:
        return View(
            state=self.state,
            catalog=self._corpus.catalog,
            artifact=artifact,
            scenario=self._scenario,
            item_names=self._corpus.item_names,
            type_names=self._corpus.type_names,
            user=user,
            circumstances=known_at(told, self._corpus.people.of(user)),
        )
