"""Many histories at once, as a sparse matrix."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from foretaste.domain.history import History
from foretaste.features.recency import Recency
from foretaste.models.recency import recent_weights


def history_matrix(
    histories: Sequence[History], recency: Recency, n_items: int, scale: float = 1.0
) -> sparse.csr_matrix:
    """Return float32 [len(histories), n_items]: the sum of each item's weights, each as of the newest event.

    Weights are multiplied by `scale`. Items without weight have no entry.
    """
    weights = [
        recent_weights(history, recency, int(history.time[-1]) if len(history) else 0)
        for history in histories
    ]
    start = np.concatenate(([0], np.cumsum([len(history) for history in histories]))).astype(np.int64)
    item = np.concatenate([np.empty(0, np.int32), *(history.item for history in histories)])
    weight = np.concatenate([np.empty(0, np.float32), *weights]) * np.float32(scale)
    matrix = sparse.csr_matrix((weight, item, start), shape=(len(histories), n_items))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix
