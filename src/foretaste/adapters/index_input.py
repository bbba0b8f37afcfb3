"""What every vector index checks before it takes rows or a question."""

from collections.abc import Sequence

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.errors import InvalidInputError, InvalidQueryError
from foretaste.ports.vector_index import LARGEST, Labels


def checked_rows(vectors: Floats, labels: Sequence[Labels] | None) -> Floats:
    """Return `vectors` as float32 [n, dim] in order; raise `InvalidInputError` if they cannot be indexed."""
    shape = np.shape(vectors)
    if len(shape) != 2 or (shape[1] == 0 and shape[0]):
        raise InvalidInputError(f"vectors must be a table of rows, not of shape {shape}", field="vectors")
    rows = np.ascontiguousarray(vectors, np.float32)
    bad = _unusable(rows)
    if len(bad):
        raise InvalidInputError(
            f"vector {bad[0]} has a number that is not finite or larger than {LARGEST:g}"
            f" ({len(bad)} such vectors): correct or leave them out",
            field="vectors",
        )
    if labels is not None and len(labels) != len(rows):
        raise InvalidInputError(
            f"there are {len(labels)} labels for {len(rows)} vectors: one for each is needed", field="labels"
        )
    for place, own in enumerate(labels or ()):
        _require_texts(place, own)
    return rows


def checked_question(queries: Floats, k: int, allowed: Mask | None, *, rows: int, dim: int) -> Floats:
    """Return `queries` as float32 [q, dim] in order; raise `InvalidQueryError` for what cannot be asked."""
    asked = np.ascontiguousarray(queries, np.float32)
    if asked.ndim != 2 or (asked.shape[1] != dim and rows):
        raise InvalidQueryError(
            f"queries must be rows of {dim} numbers as the index has, not of shape {asked.shape}",
            field="queries",
        )
    bad = _unusable(asked)
    if len(bad):
        raise InvalidQueryError(
            f"query {bad[0]} has a number that is not finite or larger than {LARGEST:g}", field="queries"
        )
    if k < 0:
        raise InvalidQueryError(f"k must not be negative, as {k} is", field="k")
    if allowed is not None and np.shape(allowed) != (rows,):
        raise InvalidQueryError(
            f"`allowed` must say yes or no for each of {rows} rows, not be of shape {np.shape(allowed)}",
            field="allowed",
        )
    return asked


def checked_ordinals(ordinals: Ordinals, rows: int) -> Int64s:
    """Return `ordinals` as int64; raise `InvalidQueryError` for one that is no row."""
    wanted = np.asarray(ordinals, np.int64)
    if wanted.size and not 0 <= wanted.min() <= wanted.max() < rows:
        raise InvalidQueryError(f"rows are numbered from 0 to {rows - 1}", field="ordinals")
    return wanted


def best_first(ordinals: Int64s, scores: Floats) -> tuple[Ordinals, Floats]:
    """Order each row by falling score, then by rising ordinal; what was not found (-1) last."""
    scores = np.where(ordinals < 0, np.float32(-np.inf), scores)
    order = np.lexsort((ordinals, -scores), axis=1)
    return (
        np.take_along_axis(ordinals, order, axis=1).astype(np.int32),
        np.take_along_axis(scores, order, axis=1),
    )


def _require_texts(place: int, labels: Labels) -> None:
    if any(isinstance(values, str) for values in labels.values()):
        raise InvalidInputError(f"labels of vector {place} must be lists of texts", field="labels")
    try:
        "".join([*labels, *(value for values in labels.values() for value in values)]).encode()
    except (UnicodeEncodeError, TypeError) as error:
        raise InvalidInputError(f"labels of vector {place} must be texts: {error}", field="labels") from error


def _unusable(rows: Floats) -> Int64s:
    """Return the places of rows with a number that is not finite or too large; NaN compares as false."""
    if rows.size and np.abs(rows).max() <= LARGEST:
        return np.empty(0, np.int64)
    return np.flatnonzero(~(np.abs(rows) <= LARGEST).all(axis=1))
