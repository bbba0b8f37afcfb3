"""Events as one handles them in Python: a table that knows its items and can be cut in time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from math import isnan
from typing import Any

import polars as pl

from foretaste.adapters.files.event_frame import frame_events
from foretaste.adapters.files.rows import Reject
from foretaste.adapters.files.timestamps import Moment, as_datetime, micros_of
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import Event
from foretaste.domain.item import Item


@dataclass(frozen=True, repr=False)
class Events:
    """What people did, in columns, in the order it was read.

    `frame` has the columns `event_id`, `user_id`, `item_id`, `type`, `timestamp` (int64 microseconds
    UTC), `value`, `session_id`, `recommendation_id` and `context` (a JSON object of texts). `items` is the
    catalog that came with the events, if one did. `skipped` rows said that nothing happened; `rejected`
    could not be used, each with its line and the reason.

    >>> events = ft.read_events("orders.csv", columns={"user_id": "customer"})
    >>> past, future = events.until("2024-03-01"), events.after("2024-03-01")
    """

    frame: pl.DataFrame
    items: Sequence[Item] = ()
    skipped: int = 0
    rejected: Sequence[Reject] = field(default=())

    def until(self, moment: Moment) -> "Events":
        """Return the events before `moment`: ISO 8601 text, a date, or microseconds since 1970 (UTC)."""
        return self._where(pl.col("timestamp") < micros_of(moment))

    def after(self, moment: Moment) -> "Events":
        """Return the events at `moment` or later: exactly those that `until` leaves out."""
        return self._where(pl.col("timestamp") >= micros_of(moment))

    def ending(self, moment: Moment) -> "Events":
        """Return the same events, all moved by as much, so that the last happens at `moment`.

        What it was like when a log was recorded can so be met live. Events keep their ids.
        """
        last = self.frame["timestamp"].max()
        if not isinstance(last, int):
            return self
        moved = self.frame.with_columns(pl.col("timestamp") + (micros_of(moment) - last))
        return replace(self, frame=moved)

    def quantile(self, share: float) -> int:
        """Return the moment (microseconds since 1970) before which `share` of the events happened.

        Raises `InvalidInputError` for what is no number.

        >>> cut = events.quantile(0.9)
        >>> train, test = events.until(cut), events.after(cut)
        """
        part = _part(share)
        if not len(self):
            return 0
        times = self.frame["timestamp"].sort()
        return int(times[min(int(part * len(self)), len(self) - 1)])

    def to_polars(self) -> pl.DataFrame:
        """Return the events as a frame, with `timestamp` as a UTC datetime."""
        moment = pl.from_epoch("timestamp", time_unit="us").dt.replace_time_zone("UTC")
        return self.frame.with_columns(moment)

    def chunks(self, size: int) -> Iterator[list[Event]]:
        """Return the events as lists of at most `size`, in order."""
        for piece in self.frame.iter_slices(size):
            yield frame_events(piece)

    def __len__(self) -> int:
        return self.frame.height

    def __iter__(self) -> Iterator[Event]:
        for piece in self.chunks(10_000):
            yield from piece

    def __repr__(self) -> str:
        return f"<Events: {self._summary()}>"

    def _repr_html_(self) -> str:
        head = self.to_polars().drop("event_id").head(5)
        return f"<p>{escape(self._summary())}</p>{head._repr_html_()}"

    def _summary(self) -> str:
        if not len(self):
            return "none"
        users, items = self.frame["user_id"].n_unique(), self.frame["item_id"].n_unique()
        times = self.frame["timestamp"]
        first, last = (as_datetime(int(moment)).date() for moment in (times.min(), times.max()))  # type: ignore[arg-type] # an int64 column of length > 0
        return f"{len(self):,} of {users:,} users with {items:,} items, {first} to {last}"

    def _where(self, condition: pl.Expr) -> "Events":
        return Events(self.frame.filter(condition), self.items)


def _part(share: Any) -> float:
    """Return a share within 0 and 1; raise `InvalidInputError` for what is no number."""
    try:
        part = float(share)
    except (TypeError, ValueError):
        part = float("nan")
    if isnan(part):
        raise InvalidInputError(f"share must be a number from 0 to 1, not {share!r}", field="share")
    return min(max(part, 0.0), 1.0)
