"""What a person's latest signs of liking say they prefer: topics, sources, hours and weekdays."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.circumstances import HOURS
from foretaste.events.moments import format_moment

SOURCE = "source"
"""The entry of an event's context that says where it came from."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Preference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing preferred: in how many of the events, their percentage, and when last."""

    name: str
    count: int
    percentage: float
    last_at: str


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """What the latest `events` signs of liking, those that recommending remembers, say.

    `topics` are categories of the items, or what contexts of events say under `topics` where the catalog has
    none, `sources` what they say under `source`, both the most frequent first; `hours` (UTC, `18:00-21:00`)
    and `weekdays` are in the order of the clock.
    Percentages are of `events`; an item with several categories counts for each.
    """

    events: int
    topics: tuple[Preference, ...]
    sources: tuple[Preference, ...]
    hours: tuple[Preference, ...]
    weekdays: tuple[Preference, ...]


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of liking: its moment in microseconds, the item's categories, and the source it came from."""

    time: int
    topics: tuple[str, ...]
    source: str | None


def preferences_of(signs: Sequence[Sign], *, most: int) -> Preferences:
    """Return what signs of liking say; of topics and sources the `most` frequent ones."""
    n = len(signs)
    moments = [datetime.fromtimestamp(sign.time // MICROS_PER_SECOND, UTC) for sign in signs]
    topics = ((topic, sign.time) for sign in signs for topic in dict.fromkeys(sign.topics))
    sources = ((sign.source, sign.time) for sign in signs if sign.source)
    hours = ((_span(moment.hour), sign.time) for moment, sign in zip(moments, signs, strict=True))
    days = ((WEEKDAYS[moment.weekday()], sign.time) for moment, sign in zip(moments, signs, strict=True))
    return Preferences(
        events=n,
        topics=_most_frequent(_counted(topics, n))[:most],
        sources=_most_frequent(_counted(sources, n))[:most],
        hours=tuple(sorted(_counted(hours, n), key=lambda found: found.name)),
        weekdays=tuple(sorted(_counted(days, n), key=lambda found: WEEKDAYS.index(found.name))),
    )


def _span(hour: int) -> str:
    start = hour // HOURS * HOURS
    return f"{start:02}:00-{start + HOURS:02}:00"


def _counted(named: Iterable[tuple[str, int]], total: int) -> list[Preference]:
    counts: dict[str, tuple[int, int]] = {}
    for name, time in named:
        count, last = counts.get(name, (0, time))
        counts[name] = count + 1, max(last, time)
    return [
        Preference(
            name=name, count=count, percentage=round(100.0 * count / total, 2), last_at=format_moment(last)
        )
        for name, (count, last) in counts.items()
    ]


def _most_frequent(found: Sequence[Preference]) -> tuple[Preference, ...]:
    return tuple(sorted(found, key=lambda each: (-each.count, each.name)))
