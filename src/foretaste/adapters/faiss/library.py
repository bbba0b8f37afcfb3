"""FAISS itself, or how to get it."""

import warnings
from typing import Any

from foretaste.domain.errors import MissingExtraError

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of SWIG, at import, on Python 3.12 and later
        import faiss
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "the vector index `faiss` needs FAISS: pip install 'foretaste[faiss]'", field="vector_index"
    ) from error

library: Any = faiss
"""Untyped: the stubs that come with FAISS lack its search parameters."""
