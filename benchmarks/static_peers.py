"""`implicit`'s ALS as a peer: with its defaults, and tuned on a part of the training data."""

import time
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from scipy import sparse

from static_ranking import Lists, best_of, judged

try:
    from implicit.als import AlternatingLeastSquares
except ModuleNotFoundError:
    AlternatingLeastSquares = None

FACTORS = 256
ALPHAS, REGULARIZATIONS = (1.0, 4.0, 16.0), (0.1, 1.0, 10.0)
TUNED_USERS = 3_000

Peer = tuple[str, Callable[[int], Lists], float]
"""A name, what makes a user's lists, CPU seconds of fitting."""


def peers(train: sparse.csr_matrix, seed: int) -> Iterator[Peer]:
    """Yield the peers that are installed, fitted on `train`."""
    if AlternatingLeastSquares is None:
        print("implicit is not installed (`uv sync`): left out")
        return
    yield _fitted("implicit ALS, defaults", train, seed)
    part, held = _parts(train, seed)
    values = {}
    for alpha, regularization in product(ALPHAS, REGULARIZATIONS):
        settings = {"factors": FACTORS, "alpha": alpha, "regularization": regularization}
        name, lists, _ = _fitted("tried", part, seed, **settings)
        values[alpha, regularization] = judged(lists, held, TUNED_USERS)[name].ndcg
    alpha, regularization = max(values, key=lambda tried: values[tried])
    name = f"implicit ALS, tuned ({FACTORS} factors, alpha {alpha}, regularization {regularization})"
    yield _fitted(name, train, seed, factors=FACTORS, alpha=alpha, regularization=regularization)


def _fitted(name: str, train: sparse.csr_matrix, seed: int, **settings: float) -> Peer:
    model = AlternatingLeastSquares(random_state=seed, num_threads=1, **settings)
    began = time.process_time()
    model.fit(train, show_progress=False)
    seconds = time.process_time() - began

    def lists(user: int) -> Lists:
        if user >= train.shape[0]:
            return {name: np.empty(0, np.int64)}
        scores = model.item_factors @ model.user_factors[user]
        scores[train.indices[train.indptr[user] : train.indptr[user + 1]]] = -np.inf
        return {name: best_of(scores)}

    return name, lists, seconds


def _parts(train: sparse.csr_matrix, seed: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Return nine tenths of the entries, and the rest."""
    held = np.random.default_rng(seed).random(train.nnz) < 0.1
    user, item = train.nonzero()
    return tuple(
        sparse.csr_matrix((train.data[rows], (user[rows], item[rows])), shape=train.shape)
        for rows in (~held, held)
    )
