"""Recommenders of other makers, asked beside ours: the same questions, the same items to choose from."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from foretaste.domain.arrays import Doubles, Ordinals
from foretaste.domain.event import EventColumns
from foretaste.retrieval.masks import consumed, without
from foretaste.training.composition import Composition
from foretaste.training.prepare import Prepared


class Peer(Protocol):
    """A fitted recommender that scores what a person has had."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def scores(self, had: Ordinals) -> Doubles:
        """Return a score of each item, float64 [n_items], for a person with the distinct items `had`."""
        ...


class WithPeers:
    """Implements `evaluation.judgement.Judged`: a composition, and peers that see the same live history.

    Every peer ranks what may be shown to the person in the scenario: nothing that they had, nothing that is
    not available, nothing that neither the catalog nor an event of before has named.
    """

    def __init__(self, composition: Composition, peers: Sequence[Peer], prepared: Prepared) -> None:
        self._composition = composition
        self._peers = tuple(peers)
        self._corpus = prepared.corpus
        self._consumed = prepared.config.scenario.consumed

    @property
    def names(self) -> tuple[str, ...]:
        """What the lists are called: the composition's, then the peers'."""
        return (*self._composition.names, *(peer.name for peer in self._peers))

    def apply(self, events: EventColumns) -> object:
        """Fold events into the state."""
        return self._composition.apply(events)

    def lists(self, user: int, now: int, k: int) -> Ordinals:
        """Return everyone's best `k` items, int32 [len(names), k]."""
        ours = self._composition.lists(user, now, k)
        if not self._peers:
            return ours
        state = self._composition.state
        history = state.history(user)
        had = np.unique(history.item[history.weight > 0.0])
        catalog = self._corpus.catalog
        shown = catalog.available(now, self._corpus.n_items)
        shown[max(state.items.n_items, catalog.n_items) :] = False
        without(shown, consumed(state.tally(user), self._consumed, self._corpus.type_names))
        theirs = [_best(peer.scores(had), shown, k) for peer in self._peers]
        return np.vstack((ours, *theirs))


def _best(scores: Doubles, shown: np.ndarray, k: int) -> Ordinals:
    worth = np.where(shown & np.isfinite(scores), scores, -np.inf)
    order = np.argpartition(-worth, min(k, len(worth) - 1))[:k]
    order = order[np.lexsort((order, -worth[order]))]
    listed = np.full(k, -1, np.int32)
    order = order[np.isfinite(worth[order])]
    listed[: len(order)] = order
    return listed
