"""The order of what one person does at one moment, where the file tells it."""

import numpy as np
import polars as pl

from foretaste.adapters.files.occurrences import Occurrences

SHARED = 0.5
"""Where so large a part of the events or more shares one moment, their times say no order."""
SORTED = 0.9
"""Where so large a part of what follows each other at a moment rises, or falls, by item, rows were sorted."""
BACKWARDS = 2
"""Where times fall more than so many times as often as they rise from row to row, the newest come first."""
FEW = 5
"""Of fewer steps that cannot be told."""


def places_at_moments(frame: pl.DataFrame, moments: Occurrences) -> pl.Series:
    """Return by how many microseconds each event of `frame` is moved, so that the order of the file stays.

    Times are often those of a day, an invoice or a page: what a person does at one moment follows each other
    as it stands in the file, backwards where the newest rows come first. Events with an id of their own stay
    where they are. So do all where half of the events or more share one moment, as a date that means none,
    and where the rows of a moment are sorted by item: a sort would tell what comes next, and not what people
    do. `moments` are those of the pieces of the file before.
    """
    place = moments.number(frame.select("user_id", "timestamp").hash_rows(seed=0).to_numpy())
    time = frame["timestamp"].to_numpy()
    _, count = np.unique(time, return_counts=True)
    if count.max(initial=0) >= SHARED * frame.height or _is_sorted(frame):
        place = np.zeros_like(place)
    steps = np.diff(time)
    if np.count_nonzero(steps < 0) > BACKWARDS * np.count_nonzero(steps > 0):
        place = np.maximum(-place, -time)
    return pl.Series(np.where(frame["event_id"].is_null().to_numpy(), place, 0), dtype=pl.Int64)


def _is_sorted(frame: pl.DataFrame) -> bool:
    """Return whether the items of a moment rise or fall: as texts or, longer being more, as numbers."""
    ordered = frame.select("user_id", "timestamp", "item_id").sort(
        "user_id", "timestamp", maintain_order=True
    )
    item, length = pl.col("item_id"), pl.col("item_id").str.len_chars().cast(pl.Int64)
    longer = length.diff()
    text = pl.when(item > item.shift()).then(1).when(item < item.shift()).then(-1).otherwise(0)
    number = pl.when(longer != 0).then(longer.sign()).otherwise(text)
    follows = (pl.col("user_id") == pl.col("user_id").shift()) & (pl.col("timestamp").diff() == 0)
    steps = ordered.select(text=text, number=number, follows=follows).filter(
        pl.col("follows") & (pl.col("text") != 0)
    )
    if len(steps) < FEW:
        return False
    parts = [(steps[name] == way).mean() for name in ("text", "number") for way in (1, -1)]
    return any(isinstance(part, float) and part >= SORTED for part in parts)
