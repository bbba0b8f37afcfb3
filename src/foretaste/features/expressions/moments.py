"""Texts and numbers read as moments, by the rules of `events.moments`; what is none is missing."""

import math
from collections.abc import Iterable

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Doubles
from foretaste.events.moments import MICROS_BELOW, MILLIS_BELOW, NANOS_BELOW, SECONDS_BELOW, parse_moment


def moment_of(value: str | float) -> float:
    """Return the moment that `value` says in microseconds, NaN for none."""
    try:
        return float(parse_moment(value))
    except (ValueError, OverflowError):
        return math.nan


def moments_of_texts(texts: Iterable[str], length: int) -> Doubles:
    """Return the moment of each of `length` texts, float64, NaN for none."""
    return np.fromiter((moment_of(text) for text in texts), np.float64, length)


def moments_of_numbers(numbers: Doubles) -> Doubles:
    """Return the moment of each number, float64, NaN for none."""
    size = np.abs(numbers)
    found = np.rint(numbers * MICROS_PER_SECOND)
    found = np.where(size >= SECONDS_BELOW, np.rint(numbers * 1_000), found)
    found = np.where(size >= MILLIS_BELOW, np.rint(numbers), found)
    found = np.where(size >= MICROS_BELOW, np.floor(numbers / 1_000), found)
    return np.where((size < NANOS_BELOW) & (found >= 0), found, np.nan)
