"""Moments as clients write them, as microseconds since 1970 UTC."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from foretaste.domain.arrays import MICROS_PER_SECOND

SECONDS_BELOW = 10**11
MILLIS_BELOW = 10**14
MICROS_BELOW = 10**17
NANOS_BELOW = 10**20

LONGEST_TEXT = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NUMBER = re.compile(r"\d{9,20}(\.\d{1,9})?", re.ASCII)


def parse_moment(moment: str | float) -> int:
    """Return a moment as microseconds since 1970 UTC.

    Text is ISO 8601 (`2024-03-01T12:30:00.5+01:00`); without a zone it is UTC. A number, also one that
    is written as text of nine digits or more, counts from 1970, and its size says in what: below 10^11
    seconds, below 10^14 milliseconds, below 10^17 microseconds, below 10^20 nanoseconds. So milliseconds
    and microseconds are understood for moments after 3 March 1973, and seconds for all times.

    Raises `ValueError` with a sentence that says what is wrong.
    """
    if isinstance(moment, str):
        text = moment.strip()
        if not _NUMBER.fullmatch(text):
            return _from_iso(text)
        moment = float(text) if "." in text else int(text)
    return _from_number(moment)


def format_moment(micros: int) -> str:
    """Return microseconds since 1970 as ISO 8601 in UTC, for messages."""
    seconds, rest = divmod(micros, MICROS_PER_SECOND)
    return f"{_second(seconds)}.{rest:06d}Z" if rest else f"{_second(seconds)}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat().removesuffix("+00:00")


def _from_iso(text: str) -> int:
    if len(text) > LONGEST_TEXT:
        raise ValueError("is too long for a moment")
    try:
        written = datetime.fromisoformat(text)
        aware = written if written.tzinfo else written.replace(tzinfo=UTC)
        micros = (aware - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text!r} is not a moment; write ISO 8601 (2024-03-01T12:30:00Z) or a number since 1970"
        ) from error
    return _after_1970(micros)


def _from_number(number: float) -> int:
    size = abs(number)
    if size < SECONDS_BELOW:
        return _after_1970(round(number * MICROS_PER_SECOND))
    if size < MILLIS_BELOW:
        return _after_1970(round(number * 1_000))
    if size < MICROS_BELOW:
        return _after_1970(round(number))
    if size < NANOS_BELOW:
        return _after_1970(int(number) // 1_000)
    raise ValueError("is too large for a moment, or not finite; send seconds since 1970 or ISO 8601")


def _after_1970(micros: int) -> int:
    if micros < 0:
        raise ValueError("lies before 1970; the earliest moment is 1970-01-01T00:00:00Z")
    return micros
