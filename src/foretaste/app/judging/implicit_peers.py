"""Peers from the package `implicit`, where it is installed: ALS and item kNN, with their own defaults."""

import importlib
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Doubles, Ordinals
from foretaste.domain.interactions import Interactions
from foretaste.training.peers import Peer

ALS, KNN = "implicit ALS", "implicit kNN"


class ImplicitALS:
    """Implements `training.peers.Peer`: the person's items are folded into the fitted factors."""

    name = ALS

    def __init__(self, model: Any, n_items: int) -> None:
        self._model = model
        self._n_items = n_items

    def scores(self, had: Ordinals) -> Doubles:
        """Return the products of the folded-in person with all items' factors."""
        factors = self._model.recalculate_user(0, _row(had, self._n_items))
        return np.asarray(self._model.item_factors @ factors, np.float64)


class ImplicitKNN:
    """Implements `training.peers.Peer`: sums of cosines with the person's items."""

    name = KNN

    def __init__(self, similarity: sparse.csr_matrix, n_items: int) -> None:
        self._similarity = similarity
        self._n_items = n_items

    def scores(self, had: Ordinals) -> Doubles:
        """Return for each item the sum of its similarities to `had`."""
        found = _row(had, self._n_items) @ self._similarity
        return np.asarray(found.toarray()[0], np.float64)


def implicit_peers(interactions: Interactions, seed: int) -> Sequence[Peer]:
    """Return the peers, fitted on the positive interactions; none where `implicit` is not installed."""
    als, knn = _module("implicit.als"), _module("implicit.nearest_neighbours")
    if als is None or knn is None:
        return ()
    liked = interactions.weight > 0.0
    matrix = sparse.csr_matrix(
        (interactions.weight[liked], (interactions.user[liked], interactions.item[liked])),
        shape=(interactions.n_users, interactions.n_items),
        dtype=np.float32,
    )
    factors = als.AlternatingLeastSquares(random_state=seed, num_threads=1)
    neighbours = knn.CosineRecommender(num_threads=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of how it converts its own matrices, and of threads
        factors.fit(matrix, show_progress=False)
        neighbours.fit(matrix, show_progress=False)
    n_items = interactions.n_items
    return (ImplicitALS(factors, n_items), ImplicitKNN(neighbours.similarity, n_items))


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def _row(had: Ordinals, n_items: int) -> sparse.csr_matrix:
    return sparse.csr_matrix(
        (np.ones(len(had), np.float32), had, np.array([0, len(had)])), shape=(1, n_items)
    )
