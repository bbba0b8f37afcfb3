"""Events in columns, and one by one."""

import msgspec
import polars as pl

from foretaste.domain.event import Event

EVENT_SCHEMA = pl.Schema(
    {
        "event_id": pl.String(),
        "user_id": pl.String(),
        "item_id": pl.String(),
        "type": pl.String(),
        "timestamp": pl.Int64(),
        "value": pl.Float64(),
        "session_id": pl.String(),
        "recommendation_id": pl.String(),
        "context": pl.String(),
    }
)
"""The columns of a frame of events; `timestamp` is in microseconds since 1970 UTC, `context` a JSON object of
texts, null for none."""

_context = msgspec.json.Decoder(dict[str, str]).decode


def frame_events(frame: pl.DataFrame) -> list[Event]:
    """Return the rows of a frame of `EVENT_SCHEMA` as events."""
    columns = (frame[name].to_list() for name in EVENT_SCHEMA)
    return [
        Event(
            event_id=event_id,
            user_id=user_id,
            item_id=item_id,
            type=kind,
            timestamp=timestamp,
            value=value,
            session_id=session_id,
            recommendation_id=recommendation_id,
            context=_context(context) if context else {},
        )
        for event_id, user_id, item_id, kind, timestamp, value, session_id, recommendation_id, context in zip(
            *columns, strict=True
        )
    ]
