"""How good answers turned out to be: what was shown, beside what people did then."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Int64s, Mask, Micros, Ordinals
from foretaste.domain.event import EventColumns
from foretaste.domain.slate import Exposure
from foretaste.ranking.shown import ShownSlates
from foretaste.training.slate_log import answered_rows, of_known, shown_slates

HOURS = (1.0, 24.0, 168.0)
NEXT_SECONDS = 3_600.0
"""What a person does later than this after a slate is no longer what the slate was to foretell."""

_HOUR = 3_600 * MICROS_PER_SECOND


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """What became of some slates.

    `click_through` is the share of `slates` that the person took something from within a day: `clicked`;
    `conversion` of those that they bought something from: `bought`. Of the `next_events` of people within an
    hour after a slate, `hit_rate` is the share whose item stood in the latest slate before. Only signs of
    liking count as events. Null where there is nothing to divide by.
    """

    slates: int
    people: int
    clicked: int
    click_through: float | None
    bought: int
    conversion: float | None
    next_events: int
    hits: int
    hit_rate: float | None


class QualityWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The slates of the last `hours`: all, and by the source, the model and the scenario of the answer."""

    hours: float
    overall: Quality
    by_source: dict[str, Quality]
    by_model: dict[str, Quality]
    by_scenario: dict[str, Quality]


def online_quality(
    exposures: Sequence[Exposure],
    users: Mapping[str, int],
    events: EventColumns,
    liking: Mask,
    buying: Mask,
    *,
    now: int,
    hours: Sequence[float] = HOURS,
) -> tuple[QualityWindow, ...]:
    """Return how good the slates of known people were in the last so many `hours` before `now`.

    `events` are all since the first of `exposures`, `liking` bool [n] which of them are signs of liking,
    `buying` which are purchases.
    """
    shown = of_known(exposures, users)
    slates = shown_slates(shown, users, events, liking)
    clicked = np.zeros(len(slates), np.bool_)
    clicked[slates.slate[slates.clicked]] = True
    bought = _bought(slates, events, buying)
    rows = np.flatnonzero(liking)
    before = _latest(slates.user, slates.time, events.user[rows], events.time[rows])
    near = before >= 0
    near[near] = events.time[rows[near]] - slates.time[before[near]] <= NEXT_SECONDS * MICROS_PER_SECOND
    followed, item = before[near], events.item[rows[near]]
    hit = np.isin(followed << 32 | item.astype(np.int64), slates.slate << 32 | slates.item.astype(np.int64))

    def quality(chosen: Mask) -> Quality:
        asked = chosen[followed]
        n, took, paid = int(chosen.sum()), int((chosen & clicked).sum()), int((chosen & bought).sum())
        events_of, hits = int(asked.sum()), int((asked & hit).sum())
        return Quality(
            slates=n,
            people=len(np.unique(slates.user[chosen])),
            clicked=took,
            click_through=round(took / n, 6) if n else None,
            bought=paid,
            conversion=round(paid / n, 6) if n else None,
            next_events=events_of,
            hits=hits,
            hit_rate=round(hits / events_of, 6) if events_of else None,
        )

    return tuple(_window(each, shown, slates.time >= now - round(each * _HOUR), quality) for each in hours)


def _bought(slates: ShownSlates, events: EventColumns, buying: Mask) -> Mask:
    """Return from which slates the person bought something."""
    rows = np.flatnonzero(buying)
    answered = answered_rows(slates, user=events.user[rows], item=events.item[rows], time=events.time[rows])
    bought = np.zeros(len(slates), np.bool_)
    bought[slates.slate[answered[answered >= 0]]] = True
    return bought


def _window(
    hours: float, shown: Sequence[Exposure], lately: Mask, quality: Callable[[Mask], Quality]
) -> QualityWindow:
    def by(names: Sequence[str]) -> dict[str, Quality]:
        all_names = np.array(names, dtype=np.str_)
        return {str(name): quality(lately & (all_names == name)) for name in np.unique(all_names[lately])}

    return QualityWindow(
        hours=hours,
        overall=quality(lately),
        by_source=by([exposure.source for exposure in shown]),
        by_model=by([exposure.versions.artifact for exposure in shown]),
        by_scenario=by([exposure.scenario for exposure in shown]),
    )


def _latest(user: Ordinals, time: Micros, event_user: Ordinals, event_time: Micros) -> Int64s:
    """Return for each event the number of its person's latest slate before it, -1 where there is none."""
    if not len(user):
        return np.full(len(event_user), -1)
    moments, moment = np.unique(np.concatenate((time, event_time)), return_inverse=True)
    people = np.concatenate((user, event_user)).astype(np.int64)
    key = people * len(moments) + moment
    order = np.argsort(key[: len(user)], kind="stable")
    place = np.searchsorted(key[order], key[len(user) :], side="right") - 1
    found = order[np.maximum(place, 0)]
    return np.where((place >= 0) & (user[found] == event_user), found, -1)
