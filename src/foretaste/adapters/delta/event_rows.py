"""Events as rows of a Delta table."""

from collections.abc import Sequence
from operator import attrgetter

import msgspec
import polars as pl
from deltalake import Field, Schema
from deltalake.schema import PrimitiveType

from foretaste.adapters.files.event_frame import frame_events
from foretaste.ports.event_archive import Numbered

DAY = "day"
_KINDS = {
    "seq": ("long", False),
    "event_id": ("string", False),
    "user_id": ("string", False),
    "item_id": ("string", False),
    "type": ("string", False),
    "timestamp": ("timestamp", False),
    "value": ("double", True),
    "session_id": ("string", True),
    "recommendation_id": ("string", True),
    "context": ("string", True),
    DAY: ("date", False),
}
SCHEMA = Schema([Field(name, PrimitiveType(kind), nullable=null) for name, (kind, null) in _KINDS.items()])
"""The columns of an archive: all fields of an event, `seq`, its number in the log, and `day`, the UTC date of
its timestamp, by which files are partitioned. `context` is a JSON object of texts, null for none."""

COLUMNS = tuple(_KINDS)
PLAIN = ("event_id", "user_id", "item_id", "type", "timestamp", "value", "session_id", "recommendation_id")
_TYPES = {"string": pl.String, "long": pl.Int64, "double": pl.Float64, "timestamp": pl.Int64}


def frame_of(events: Sequence[Numbered]) -> pl.DataFrame:
    """Return events as rows of `SCHEMA`."""
    columns: dict[str, list[object]] = {"seq": [seq for seq, _ in events]}
    for name in PLAIN:
        field = attrgetter(name)
        columns[name] = [field(event) for _, event in events]
    columns["context"] = [
        msgspec.json.encode(event.context).decode() if event.context else None for _, event in events
    ]
    types = {name: _TYPES[kind] for name, (kind, _) in _KINDS.items() if name != DAY}
    moment = pl.from_epoch("timestamp", time_unit="us").dt.replace_time_zone("UTC")
    frame = pl.DataFrame(columns, schema=types).with_columns(moment)
    return frame.with_columns(pl.col("timestamp").dt.date().alias(DAY))


def events_of(frame: pl.DataFrame) -> list[Numbered]:
    """Return rows of `SCHEMA` as events."""
    moment = frame.with_columns(pl.col("timestamp").dt.timestamp("us"))
    return list(zip(moment["seq"].to_list(), frame_events(moment), strict=True))
