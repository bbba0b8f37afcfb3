"""Scikit-learn's NMF; a module of its own because scikit-learn is optional."""

import warnings

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Floats
from foretaste.domain.errors import MissingExtraError

try:
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "the model `nmf` needs scikit-learn to be trained: pip install 'foretaste[nmf]'", field="models"
    ) from error


def components(matrix: sparse.csr_matrix, factors: int, iterations: int, seed: int) -> Floats:
    """Return H, float32 [factors, n_items], not negative, of a factorization of `matrix`.

    It ends after `iterations` at the latest: the last decimals do not change an order of items.
    """
    found = np.zeros((factors, matrix.shape[1]), np.float32)
    usable = min(factors, *matrix.shape)
    if matrix.nnz and usable:
        solver = NMF(n_components=usable, init="nndsvda", max_iter=iterations, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            solver.fit(matrix)
        found[:usable] = solver.components_
    return found
