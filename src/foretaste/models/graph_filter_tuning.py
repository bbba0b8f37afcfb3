"""The exponents and the sharpness of the graph filter, chosen on a validation part of the training window.

A trial does not need the rows: the histories of the questions are sent through the graph, once for every
exponent of people, and each target and sharpness is then one dense product away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Doubles, Floats
from foretaste.domain.interactions import Interactions
from foretaste.features.recency import Recency
from foretaste.models.graph_filter_rows import Filter, filtered_rows
from foretaste.models.graph_spectrum import amounts, item_graph, power, spectrum
from foretaste.models.grid_walk import walk
from foretaste.models.history_matrix import history_matrix
from foretaste.models.item_to_item import chosen_recency
from foretaste.models.training_matrix import strengths, with_users_up_to
from foretaste.models.tuning import MIN_QUERIES, Validation, best_recency, ndcg_by_rows, validation

USER_STEP, TARGET_STEP, SHARPNESS_STEP = 0.2, 0.125, 0.75
STEPS = ((0, 0, 1), (0, 0, -1), (-1, 0, 0), (1, 0, 0), (0, 1, 0), (0, -1, 0), (0, -1, 1), (0, 1, -1))
"""Neighbours on the grid of (user, target, sharpness): what moves most from data to data first."""
MAX_TRIALS = 12
MAX_RANK = 128
MAX_INTERACTIONS = 1_000_000
NEIGHBOURS = 200
"""Kept per row where ways to forget are compared."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen."""

    filter: Filter
    recency: Recency


@dataclass(frozen=True, slots=True)
class _Sent:
    """Histories sent through the graph: `blurred` [questions, items] by P, `folded` into the eigenvectors."""

    user: float
    blurred: sparse.csr_matrix
    folded: Floats
    values: Floats
    vectors: Floats


class _Trials:
    """A validation part, and the histories as last sent through a graph."""

    def __init__(
        self, questions: Validation, matrix: sparse.csr_matrix, recency: Recency, usual: Filter, seed: int
    ) -> None:
        self._questions = questions
        self._matrix = matrix
        self._amount: Doubles = amounts(matrix, axis=0)
        histories = history_matrix(questions.histories, recency, matrix.shape[1])
        scale = power(self._amount, 0.5 - usual.event)
        self._histories = sparse.csr_matrix(histories @ sparse.diags_array(scale), dtype=np.float32)
        self._rank = min(usual.rank, MAX_RANK)
        self._seed = seed
        self._sent: _Sent | None = None

    def value(self, tried: Filter) -> float:
        """Return the NDCG of a filter."""
        if self._sent is None or self._sent.user != tried.user:
            self._sent = None  # frees the memory before as much is taken again
            self._sent = self._through(tried.user)
        sent = self._sent
        target = power(self._amount, 0.5 - tried.target)
        directions = (sent.vectors * (tried.lost(sent.values) * sent.values)).T

        def scores(rows: slice) -> Floats:
            every: Floats = sent.blurred[rows].toarray()
            every += sent.folded[rows] @ directions
            every *= target
            return every

        return ndcg_by_rows(self._questions, scores)

    def _through(self, user: float) -> _Sent:
        graph = item_graph(self._matrix, user)
        found = spectrum(graph, self._rank, self._seed)
        blurred = sparse.csr_matrix((self._histories @ graph.by_item) @ graph.entries)
        return _Sent(user, blurred, self._histories @ found.vectors, found.values, found.vectors)


def choose(
    interactions: Interactions,
    seed: int,
    usual: Filter,
    *,
    opened: Sequence[bool],
    strength_power: float,
    recency: Recency | None,
) -> Choice:
    """Return `usual` with what is `opened` of (user, target, sharpness) chosen by NDCG, and a recency."""
    questions = validation(interactions, seed)
    matrix = strengths(with_users_up_to(questions.train, MAX_INTERACTIONS, seed), strength_power)
    start = recency or best_recency(questions, lambda _: 0.0)
    steps = [step for step in STEPS if all(o or not s for o, s in zip(opened, step, strict=True))]

    def at(place: tuple[int, ...]) -> Filter:
        return replace(
            usual,
            user=usual.user + USER_STEP * place[0],
            target=usual.target + TARGET_STEP * place[1],
            sharpness=max(0.0, usual.sharpness + SHARPNESS_STEP * place[2]),
        )

    best = usual
    if steps and len(questions) >= MIN_QUERIES:
        trials = _Trials(questions, matrix, start, usual, seed)
        best = at(walk(lambda place: trials.value(at(place)), steps, MAX_TRIALS))
    if recency is not None or not interactions.timed:
        return Choice(best, start)
    rows = filtered_rows(matrix, replace(best, rank=min(best.rank, MAX_RANK)), NEIGHBOURS, seed)
    return Choice(best, chosen_recency(questions, rows.matrix(), None))
