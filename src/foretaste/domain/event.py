"""Events: what people did, one by one and in columns."""

from dataclasses import dataclass

import msgspec
import numpy as np

from foretaste.domain.arrays import Floats, Int16s, Int64s, Mask, Micros, Ordinals


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One thing one person did with one item, validated and normalized (see `foretaste.events`).

    `timestamp` is in microseconds since 1970 UTC. `value` is the rating, quantity or duration that
    came with it, finite, or None. `recommendation_id` names the slate this event answers.
    """

    event_id: str
    user_id: str
    item_id: str
    type: str
    timestamp: int
    value: float | None = None
    session_id: str | None = None
    recommendation_id: str | None = None
    context: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Events in log order as equally long arrays; ids are ordinals of the log's id map.

    `seq` is the log's sequence number (strictly rising; erased events leave holes that
    `previous_seq` bridges: it is the highest sequence number before this batch). `key` is a 64-bit
    hash of the event id, which breaks ties of time independently of arrival. `value` is NaN where
    the event had none.
    """

    previous_seq: int
    seq: Int64s
    user: Ordinals
    item: Ordinals
    type: Int16s
    time: Micros
    key: Int64s
    value: Floats

    def __len__(self) -> int:
        """How many events there are."""
        return len(self.seq)

    @property
    def last_seq(self) -> int:
        """The sequence number after which the next batch starts."""
        return int(self.seq[-1]) if len(self.seq) else self.previous_seq

    def take(self, start: int, stop: int) -> "EventColumns":
        """Return the events from position `start` to before `stop`, without copying."""
        window = slice(start, stop)
        previous = self.previous_seq if start == 0 else int(self.seq[start - 1])
        return EventColumns(
            previous_seq=previous,
            seq=self.seq[window],
            user=self.user[window],
            item=self.item[window],
            type=self.type[window],
            time=self.time[window],
            key=self.key[window],
            value=self.value[window],
        )

    def where(self, kept: Mask, previous_seq: int) -> "EventColumns":
        """Return the events at which `kept` is true, as what follows `previous_seq`."""
        return EventColumns(
            previous_seq=previous_seq,
            seq=self.seq[kept],
            user=self.user[kept],
            item=self.item[kept],
            type=self.type[kept],
            time=self.time[kept],
            key=self.key[kept],
            value=self.value[kept],
        )


def no_events(previous_seq: int = 0) -> EventColumns:
    """Return columns of length zero."""
    return EventColumns(
        previous_seq=previous_seq,
        seq=np.empty(0, np.int64),
        user=np.empty(0, np.int32),
        item=np.empty(0, np.int32),
        type=np.empty(0, np.int16),
        time=np.empty(0, np.int64),
        key=np.empty(0, np.int64),
        value=np.empty(0, np.float32),
    )
