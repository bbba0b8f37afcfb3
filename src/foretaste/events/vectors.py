"""Vectors that an owner sends with items: checked, packed into an item, and read again."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from foretaste.domain.arrays import Floats
from foretaste.domain.errors import InvalidItemError

MOST_DIMENSIONS = 4096
FLOAT_BYTES = 4
LARGEST = float(np.finfo(np.float32).max)


def packed_vector(value: Any) -> bytes:
    """Return numbers as `Item.vector` holds them; `value` is a list or array of them, or text like `0.1,0.2`.

    Raises `InvalidItemError` for none or more than 4096 of them, and for one that is no finite float32.
    """
    numbers = _numbers(value)
    if not 1 <= len(numbers) <= MOST_DIMENSIONS:
        raise InvalidItemError(
            f"vector has {len(numbers)} numbers; from 1 to {MOST_DIMENSIONS} are allowed. "
            "Leave it out if there is none",
            field="vector",
        )
    for place, number in enumerate(numbers):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InvalidItemError(
                f"vector must hold numbers only, but number {place + 1} is {str(number)[:40]!r}",
                field="vector",
            )
        if not abs(number) <= LARGEST:
            raise InvalidItemError(
                f"vector must hold finite float32 numbers, but number {place + 1} is {str(number)[:40]}; "
                "send the item without a vector instead",
                field="vector",
            )
    return np.array(numbers, "<f4").tobytes()


def unpacked_vector(vector: bytes) -> Floats:
    """Return the numbers of `Item.vector`, float32 [dim]."""
    return np.frombuffer(vector, "<f4")


def vector_dim(vector: bytes) -> int:
    """Return how many numbers `Item.vector` holds."""
    return len(vector) // FLOAT_BYTES


def _numbers(value: Any) -> Sequence[Any]:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, str):
        return _written(value)
    if not isinstance(value, Sequence) or isinstance(value, bytes | bytearray):
        raise InvalidItemError(
            f"vector must be a list of numbers, not {type(value).__name__}", field="vector"
        )
    return [part.item() if isinstance(part, np.generic) else part for part in value]


def _written(text: str) -> Sequence[float]:
    parts = text.strip().removeprefix("[").removesuffix("]").replace(",", " ").split()
    if len(parts) > MOST_DIMENSIONS:
        raise InvalidItemError(
            f"vector has {len(parts)} numbers; at most {MOST_DIMENSIONS} are allowed", field="vector"
        )
    try:
        return [float(part) for part in parts]
    except ValueError as error:
        raise InvalidItemError(
            f"vector must be numbers with commas or blanks between them ({error})", field="vector"
        ) from error
