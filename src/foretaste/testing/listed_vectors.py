"""Vectors as factor models have them, in lists, and what to ask them for."""

import numpy as np

from foretaste.domain.arrays import Floats
from foretaste.models.coded_vectors import CodedVectors
from foretaste.models.vector_model import VectorQuery


def factors(n: int, dim: int, seed: int, groups: int) -> Floats:
    """Return vectors of `groups`, a few long ones among many short ones, float32 [n, dim]; some are 0."""
    draw = np.random.default_rng(seed)
    at = draw.standard_normal((groups, dim)) * np.arange(1, dim + 1) ** -0.3
    vectors = at[draw.integers(groups, size=n)] + 0.4 * draw.standard_normal((n, dim))
    vectors *= draw.lognormal(0.0, 0.5, (n, 1))
    vectors[::11] = 0.0
    return vectors.astype(np.float32)


def a_person(vectors: CodedVectors, draw: np.random.Generator, events: int = 6) -> Floats:
    """Return the sum of some of `vectors`."""
    person: Floats = vectors.at(draw.integers(len(vectors), size=events).astype(np.int32)).sum(axis=0)
    return person


def listed_query(n: int, dim: int = 8, seed: int = 0, groups: int = 9, looks: float = 2.0) -> VectorQuery:
    """Return a query to `n` vectors in lists."""
    vectors = CodedVectors.of(factors(n, dim, seed, groups))
    listed = vectors.listed(seed).looking(looks)
    return VectorQuery(listed, a_person(vectors, np.random.default_rng(seed)))
