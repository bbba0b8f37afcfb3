"""What events say of their moments, as files have it: JSON objects, or columns of them."""

from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from foretaste.domain.errors import InvalidEventError
from foretaste.events.validation import checked_context

_plain = msgspec.json.Decoder(dict[str, str | int | float | bool | None]).decode


def contexts_of(values: pl.Series | Sequence[Any]) -> tuple[pl.Series, pl.Series]:
    """Return contexts as JSON objects of texts, null for none, and what is wrong with each, or null."""
    if isinstance(values, pl.Series) and values.null_count() == len(values):
        return values.cast(pl.String), values.cast(pl.String)
    written = [_written(value) for value in values]
    read = {text: _read(text) for text in set(written) if text}
    found = [read[text] if text else (None, None) for text in written]
    contexts, faults = zip(*found, strict=True) if found else ((), ())
    return pl.Series(contexts, dtype=pl.String), pl.Series(faults, dtype=pl.String)


def _written(value: Any) -> str | None:
    """Return a value as JSON text."""
    if value is None or isinstance(value, str):
        return value or None
    return msgspec.json.encode(value.to_list() if isinstance(value, pl.Series) else value).decode()


def _read(text: str) -> tuple[str | None, str | None]:
    try:
        context = checked_context(_plain(text))
    except InvalidEventError as error:
        return None, error.message
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        return None, f"context is not a JSON object of plain values: {error}"
    return (msgspec.json.encode(context).decode() if context else None), None
