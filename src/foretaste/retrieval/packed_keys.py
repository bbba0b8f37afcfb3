"""Keys of all items in little memory where most are 0: a bit for each item, and the other keys in a row."""

from struct import Struct
from typing import Self

import numpy as np

from foretaste.domain.arrays import Floats, Int64s, Mask, Ordinals
from foretaste.domain.bits import ones_of
from foretaste.domain.kernel import kernel
from foretaste.domain.lent_arrays import address_of
from foretaste.models.entries import entry_of, in_order
from foretaste.models.sorting import keep_best

LEAST_PACKED = 4_096
"""Keys of fewer items than these are not worth it."""
BLOCK, BLOCK_SHIFT = 64, 6
_BITS_OF_BLOCK = 16
_HALF = 32
_LOW = 0xFFFFFFFF
_THREE = Struct("=3q")


class PackedKeys:
    """Keys of `n_items` items.

    `bits` int64 [n_blocks, 2] holds for each 64 items which of them have a key that is not 0, and how many
    such keys stand before theirs in `keys`, float32. `where` are three int64 as bytes: the address of `keys`,
    `n_items`, and the address of `bits`.
    """

    __slots__ = ("_most", "bits", "keys", "n_items", "where")

    def __init__(self, n_items: int, bits: Int64s, keys: Floats, most: int) -> None:
        self.n_items, self._most = n_items, most
        self._hold(bits, keys)

    @classmethod
    def of(cls, dense: Floats, most: int) -> Self | None:
        """Return the keys `dense`, float32 [n_items]; None where they would take more than `most` bytes."""
        if len(dense) // BLOCK * _BITS_OF_BLOCK > most:
            return None
        bits, keys = _pack(dense, most)
        return cls(len(dense), bits, keys, most) if len(bits) else None

    @property
    def nbytes(self) -> int:
        """How many bytes they take."""
        return self.bits.nbytes + self.keys.nbytes

    def all(self) -> Floats:
        """Return all keys, float32 [n_items], written out anew."""
        return unpacked(self.bits, self.keys, self.n_items)

    def at(self, items: Ordinals) -> Floats:
        """Return the keys of `items`, float32 [len(items)]; 0 for items outside."""
        return _keys_at(self.bits, self.keys, self.n_items, items)

    def put(self, items: Ordinals, keys: Floats) -> bool:
        """Let `items` have these keys, float32; return False where all would take more than they may.

        `items` are ordinals below `n_items`. Where there is no place for a key all are packed anew: `where`
        is another one then.
        """
        if _put(self.bits, self.keys, items, keys):
            return True
        dense = self.all()
        dense[items] = keys
        bits, packed = _pack(dense, self._most)
        if len(bits):
            self._hold(bits, packed)
        return len(bits) > 0

    def best_entries(self, allowed: Mask, count: int) -> Int64s:
        """Return the entries of the `count` allowed items of the highest positive keys, the best first."""
        return _best_entries(self.bits, self.keys, allowed, count)

    def _hold(self, bits: Int64s, keys: Floats) -> None:
        self.bits, self.keys = bits, keys
        self.where = _THREE.pack(address_of(keys), self.n_items, address_of(bits.ravel()))


@kernel
def _pack(dense: Floats, most: int) -> tuple[Int64s, Floats]:
    """Return bits and keys, or nothing where these would take more than `most` bytes."""
    n_blocks = (len(dense) + BLOCK - 1) >> BLOCK_SHIFT
    bits, given, count = np.zeros((n_blocks, 2), np.int64), dense.view(np.int32), 0
    for block in range(n_blocks):
        begin, ones = block << BLOCK_SHIFT, np.int64(0)
        if begin + BLOCK <= len(dense):
            for half in range(2):  # so many bits are found by a few instructions
                part = np.int32(0)
                for place in range(_HALF):
                    part |= np.int32(given[begin + _HALF * half + place] != 0) << np.int32(place)
                ones |= (np.int64(part) & _LOW) << (_HALF * half)
        else:
            for place in range(begin, len(dense)):
                ones |= np.int64(given[place] != 0) << (place - begin)
        bits[block, 0], bits[block, 1] = ones, count
        count += ones_of(ones)
    if _BITS_OF_BLOCK * n_blocks + 4 * count > most:
        return np.empty((0, 2), np.int64), np.empty(0, np.float32)
    keys = np.empty(count, np.float32)
    for block in range(n_blocks):
        ones, at = bits[block, 0], bits[block, 1]
        while ones:
            keys[at] = dense[(block << BLOCK_SHIFT) + _lowest(ones)]
            ones &= ones - 1
            at += 1
    return bits, keys


@kernel
def _lowest(ones: int) -> int:
    """Return the place of the lowest bit of `ones` that is 1."""
    return int(ones_of((ones & -ones) - 1))


@kernel
def unpacked(bits: Int64s, keys: Floats, n_items: int) -> Floats:
    """Return all keys, float32 [n_items]."""
    dense = np.zeros(n_items, np.float32)
    for block in range(len(bits)):
        ones, at = bits[block, 0], bits[block, 1]
        while ones:
            dense[(block << BLOCK_SHIFT) + _lowest(ones)] = keys[at]
            ones &= ones - 1
            at += 1
    return dense


@kernel
def packed_key(bits: Int64s, keys: Floats, item: int) -> np.float32:
    """Return the key of one item that is among those packed."""
    ones, bit = bits[item >> BLOCK_SHIFT, 0], np.int64(1) << (item & (BLOCK - 1))
    if not ones & bit:
        return np.float32(0.0)
    key: np.float32 = keys[bits[item >> BLOCK_SHIFT, 1] + ones_of(ones & (bit - 1))]
    return key


@kernel
def _keys_at(bits: Int64s, keys: Floats, n_items: int, items: Ordinals) -> Floats:
    found = np.zeros(len(items), np.float32)
    for k in range(len(items)):
        if 0 <= items[k] < n_items:
            found[k] = packed_key(bits, keys, items[k])
    return found


@kernel
def _put(bits: Int64s, keys: Floats, items: Ordinals, new: Floats) -> bool:
    """Write the keys of items that have a bit; return False where another one is not 0."""
    fits = True
    for k in range(len(items)):
        ones, bit = bits[items[k] >> BLOCK_SHIFT, 0], np.int64(1) << (items[k] & (BLOCK - 1))
        if ones & bit:
            keys[bits[items[k] >> BLOCK_SHIFT, 1] + ones_of(ones & (bit - 1))] = new[k]
        elif new[k] != np.float32(0.0):
            fits = False
    return fits


@kernel
def _best_entries(bits: Int64s, keys: Floats, allowed: Mask, m: int) -> Int64s:
    entries, given = np.empty(2 * m, np.int64), keys.view(np.int32)
    length, bound = 0, np.int32(0)
    if m < 1:
        return entries
    for block in range(len(bits)):
        ones, at = bits[block, 0], bits[block, 1]
        while ones:
            if given[at] > bound:
                item = (block << BLOCK_SHIFT) + _lowest(ones)
                if allowed[item]:
                    entries[length] = entry_of(keys[at], item)
                    length += 1
                    if length == 2 * m:
                        length, bound = m, np.int32(keep_best(entries, length, m) >> 32)
            ones &= ones - 1
            at += 1
    return in_order(entries, length, m)
