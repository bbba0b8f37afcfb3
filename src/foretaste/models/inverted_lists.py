"""Vectors listed by the centre next to each: the best for a query are found without a look at most.

An inverted file index (IVF): centres are those of k-means, and a query looks through the lists whose
centres promise it most. Which list a vector is in follows from the vector alone, so what is found does not
depend on how the vectors came to be what they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int8s, Int64s, Mask, Ordinals
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.kernel import fitting_kernel, kernel, summing_kernel

PER_ROOT, MOST_LISTS = 3.0, 2_048
"""So many lists for the root of the number of vectors; with more, to find the right ones takes longer."""
SAMPLED, ROUNDS = 24, 4
"""So many vectors of each list are looked at when centres are sought, so many times."""
_AT_ONCE = 8_192
SPARE = 4
"""Lists have room for a quarter more vectors than they hold, and for as many as this."""
NOWHERE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Centres:
    """Where lists are: `at` float32 [n_lists, dim]; `spread` float32 [n_lists].

    `spread` is how far a list's vectors were from its centre, the root of the mean square, by dimension: a
    query of length one meets that much more, or less, than the centre promises. For the best m of n vectors
    `looks` times the root of n · m are looked at.
    """

    at: Floats
    spread: Floats
    looks: float = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class InvertedLists:
    """Which vectors are next to each centre: `own` int32 [n] is the list of each, -1 for vectors of 0.

    List c is `member[start[c] : start[c] + count[c]]`, in no order, with room up to `start[c + 1]`; vector i
    stands at `place[i]`, int64. Codes int8 [room, dim] and sizes float32 [room] of the members (see
    `CodedVectors`) are here once more, in the places of their lists: what is looked at is read in one go.
    `is_late` bool [n] tells who came, or came to be another, after the lists were made.
    """

    centres: Centres
    own: Ordinals
    start: Int64s
    count: Int64s
    member: Ordinals
    place: Int64s
    code: Int8s
    size: Floats
    is_late: Mask

    @classmethod
    def made(cls, vectors: Floats, seed: int, code: Int8s, size: Floats) -> Self:
        """Return lists of `vectors`, float32 [n, dim], around the centres of k-means on a sample of them.

        `code` and `size` are theirs; `seed` is the only randomness.
        """
        at = _sought(vectors, seed)
        own = nearest_of_many(vectors, at)
        return cls.of(Centres(at, _spread(vectors, own, at)), own, code, size, np.zeros(len(own), np.bool_))

    @classmethod
    def of(cls, centres: Centres, own: Ordinals, code: Int8s, size: Floats, is_late: Mask) -> Self:
        """Return the lists that `own` tells of, of vectors with these codes and sizes."""
        start, count, member, place = _laid_out(own, len(centres.at))
        there = own != NOWHERE
        codes = np.zeros((len(member), code.shape[1]), np.int8)
        sizes = np.zeros(len(member), np.float32)
        codes[place[there]], sizes[place[there]] = code[there], size[there]
        return cls(centres, own, start, count, member, place, codes, sizes, is_late)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], code: Int8s, size: Floats) -> Self:
        """Return the lists that `arrays` were those of; raise `CorruptArtifactError` where they cannot be."""
        # copied: to kernels, arrays of a file, which nobody may write, are another type
        at, spread, own, looks = (np.array(arrays[name]) for name in ("centre", "spread", "list", "looks"))
        fits = at.shape == (len(spread), code.shape[1]) and own.shape == size.shape and len(looks) == 1
        if not fits or (len(own) and not NOWHERE <= own.min() <= own.max() < len(at)):
            raise CorruptArtifactError("the lists of the artifact point outside; train again")
        return cls.of(Centres(at, spread, float(looks[0])), own, code, size, np.zeros(len(own), np.bool_))

    def __len__(self) -> int:
        """How many vectors are in lists."""
        return int(self.count.sum())

    def with_vectors(self, items: Ordinals, vectors: Floats, code: Int8s, size: Floats) -> "InvertedLists":
        """Return lists of all that `code` and `size` are of; `items` among them have these `vectors` now."""
        own, is_late = _grown(self.own, len(size), NOWHERE), _grown(self.is_late, len(size), 0)
        own[items], is_late[items] = nearest(vectors, self.centres.at), True
        return InvertedLists.of(self.centres, own, code, size, is_late)

    def rewritten(self, items: Ordinals, vectors: Floats, code: Int8s, size: Floats) -> "InvertedLists":
        """Do as `with_vectors` in the memory of these lists, which nobody asks any more, if there is room."""
        to = nearest(vectors, self.centres.at)
        if not _move(
            items, to, self.own, self.start, self.count, self.member, self.place, self.code, self.size
        ):
            return self.with_vectors(items, vectors, code, size)
        self.is_late[items] = True
        there = items[to != NOWHERE]
        self.code[self.place[there]], self.size[self.place[there]] = code[there], size[there]
        return self

    def of_length(self, n: int) -> "InvertedLists":
        """Return the lists of `n` vectors, those not here being 0."""
        own, place = _grown(self.own, n, NOWHERE), _grown(self.place, n, 0)
        return replace(self, own=own, place=place, is_late=_grown(self.is_late, n, 0))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that it follows from, beside the vectors, by their names."""
        centres, looks = self.centres, np.array([self.centres.looks], np.float32)
        return {"centre": centres.at, "spread": centres.spread, "looks": looks, "list": self.own}


def _grown(values: NDArray[Any], n: int, fill: int) -> NDArray[Any]:
    """Return `values` with `fill` after them, `n` in all."""
    grown = np.full(n, fill, values.dtype)
    grown[: len(values)] = values
    return grown


def _sought(vectors: Floats, seed: int) -> Floats:
    """Return the centres for `vectors`, float32 [n_lists, dim], by k-means on a sample of those not 0."""
    told = np.flatnonzero(vectors.any(axis=1))
    count = int(np.clip(round(PER_ROOT * np.sqrt(len(told))), 1, MOST_LISTS))
    drawn = np.random.default_rng(seed).permutation(told)[: SAMPLED * count]
    sample = np.ascontiguousarray(vectors[drawn])
    at: Floats = sample[:count].copy()
    for _ in range(ROUNDS):
        at = _moved(sample, nearest_of_many(sample, at), at)
    return at


@summing_kernel
def _best_centre(vector: Floats, at: Floats, half: Floats) -> int:
    """Return the centre next to `vector`, `half` being half of the squares of the centres."""
    best, most = 0, np.float32(-np.inf)
    for c in range(len(at)):
        near = -half[c]
        for d in range(len(vector)):
            near += vector[d] * at[c, d]
        if near > most:
            best, most = c, near
    return best


def nearest_of_many(vectors: Floats, at: Floats) -> Ordinals:
    """Do as `nearest` by products of matrices: sooner, though what is as near may depend on the others."""
    found = np.full(len(vectors), NOWHERE, np.int32)
    half = np.square(at).sum(axis=1) / 2.0
    for first in range(0, len(vectors), _AT_ONCE):
        part = vectors[first : first + _AT_ONCE]
        own = (part @ at.T - half).argmax(axis=1)
        found[first : first + _AT_ONCE] = np.where(part.any(axis=1), own, NOWHERE)
    return found


@kernel
def nearest(vectors: Floats, at: Floats) -> Ordinals:
    """Return the centre next to each of `vectors`, int32 [n]; `NOWHERE` for those of 0."""
    half = np.zeros(len(at), np.float32)
    for c in range(len(at)):
        half[c] = (at[c] * at[c]).sum() / np.float32(2.0)
    found = np.full(len(vectors), NOWHERE, np.int32)
    for i in range(len(vectors)):
        if vectors[i].any():
            found[i] = _best_centre(vectors[i], at, half)
    return found


@fitting_kernel
def _moved(vectors: Floats, own: Ordinals, at: Floats) -> Floats:
    """Return the mean of the vectors next to each centre; where there is none the centre stays."""
    moved, count = np.zeros_like(at), np.zeros(len(at), np.int64)
    for i, c in enumerate(own):
        count[c] += 1
        for d in range(at.shape[1]):
            moved[c, d] += vectors[i, d]
    for c in range(len(at)):
        for d in range(at.shape[1]):
            moved[c, d] = moved[c, d] / np.float32(count[c]) if count[c] else at[c, d]
    return moved


@kernel
def _spread(vectors: Floats, own: Ordinals, at: Floats) -> Floats:
    """Return how far the vectors of each list are from its centre; see `Centres`."""
    squares, count = np.zeros(len(at)), np.zeros(len(at), np.int64)
    for i, c in enumerate(own):
        if c != NOWHERE:
            count[c] += 1
            for d in range(at.shape[1]):
                squares[c] += np.square(np.float64(vectors[i, d] - at[c, d]))
    spread: Floats = np.sqrt(squares / np.maximum(count, 1) / at.shape[1]).astype(np.float32)
    return spread


@kernel
def _laid_out(own: Ordinals, n_lists: int) -> tuple[Int64s, Int64s, Ordinals, Int64s]:
    """Return start, count, member and place of lists with room to spare."""
    count = np.zeros(n_lists, np.int64)
    for c in own:
        if c != NOWHERE:
            count[c] += 1
    start = np.zeros(n_lists + 1, np.int64)
    for c in range(n_lists):
        start[c + 1] = start[c] + count[c] + count[c] // SPARE + SPARE
    member, place = np.full(start[-1], NOWHERE, np.int32), np.zeros(len(own), np.int64)
    count[:] = 0
    for i, c in enumerate(own):
        if c != NOWHERE:
            place[i] = start[c] + count[c]
            member[place[i]] = i
            count[c] += 1
    return start, count, member, place


@kernel
def _move(
    items: Ordinals,
    to: Ordinals,
    own: Ordinals,
    start: Int64s,
    count: Int64s,
    member: Ordinals,
    place: Int64s,
    code: Int8s,
    size: Floats,
) -> bool:
    """Give `items` places in the lists `to`; return False, the rest undone, where one has no more room."""
    for k in range(len(items)):
        i, c, old = items[k], to[k], own[items[k]]
        if c == old:
            continue
        if c != NOWHERE and start[c] + count[c] == start[c + 1]:
            return False
        if old != NOWHERE:
            count[old] -= 1
            left, end = place[i], start[old] + count[old]
            last = member[end]
            member[left], place[last] = last, left
            size[left] = size[end]
            for d in range(code.shape[1]):
                code[left, d] = code[end, d]
        if c != NOWHERE:
            place[i] = start[c] + count[c]
            member[place[i]] = i
            count[c] += 1
        own[i] = c
    return True
