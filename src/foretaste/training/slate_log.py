"""What was shown joined with what was clicked: exposures and events as slates."""

from collections.abc import Iterable, Mapping

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Int64s, Mask, Micros, Ordinals
from foretaste.domain.event import EventColumns
from foretaste.domain.slate import Exposure
from foretaste.pipeline.scenario import SHIPPED
from foretaste.ranking.shown import ShownSlates

WINDOW_SECONDS = 86_400.0
SIMILAR = "similar"
FROM_ELSEWHERE = frozenset(
    name for name, scenario in SHIPPED.items() if scenario.history in {"items", "latest", "session"}
)
"""The scenarios whose slates are not for what a person did as a whole."""


def of_known(exposures: Iterable[Exposure], users: Mapping[str, int]) -> list[Exposure]:
    """Return the slates shown to people who are known, for what they did; `users` are ordinals by id."""
    return [
        exposure
        for exposure in exposures
        if exposure.user_id in users and exposure.items and exposure.scenario != SIMILAR
    ]


def is_own(exposure: Exposure) -> bool:
    """Return whether a slate started from all that the person did, and from no items that were named."""
    named = exposure.query is not None and bool(exposure.query.start_ids)
    return not named and exposure.scenario not in FROM_ELSEWHERE


def shown_slates(
    exposures: Iterable[Exposure],
    users: Mapping[str, int],
    events: EventColumns,
    liking: Mask,
    *,
    window: float = WINDOW_SECONDS,
) -> ShownSlates:
    """Return the slates shown to known people, with what they took in each.

    `users` are ordinals by id, `liking` bool [n]: the event is a sign of liking. Such an event of
    a person with an item counts as a click on the latest slate that showed it to them,
    at most `window` seconds before.
    """
    mine = of_known(exposures, users)
    slates = ShownSlates.of(
        user=[users[str(exposure.user_id)] for exposure in mine],
        time=[exposure.time for exposure in mine],
        shown=[exposure.items for exposure in mine],
        clicked=[[False] * len(exposure.items) for exposure in mine],
        score=[exposure.scores for exposure in mine],
    )
    rows = np.flatnonzero(liking)
    answered = answered_rows(
        slates, user=events.user[rows], item=events.item[rows], time=events.time[rows], window=window
    )
    slates.clicked[answered[answered >= 0]] = True
    return slates


def answered_rows(
    slates: ShownSlates, *, user: Ordinals, item: Ordinals, time: Micros, window: float = WINDOW_SECONDS
) -> Int64s:
    """Return which row of the slates each event answers, as in `shown_slates`, int64 [n]; -1 for none."""
    if not len(slates.item) or not len(time):
        return np.full(len(time), -1)
    shown_at, pair = slates.time[slates.slate], _pairs(slates.user[slates.slate], slates.item)
    event_pair = _pairs(user, item)
    _, number = np.unique(np.concatenate((pair, event_pair)), return_inverse=True)
    moments, moment = np.unique(np.concatenate((shown_at, time)), return_inverse=True)
    key = number.astype(np.int64) * len(moments) + moment
    order = np.argsort(key[: len(pair)], kind="stable")
    place = np.searchsorted(key[order], key[len(pair) :], side="right") - 1
    row = order[np.maximum(place, 0)]
    late = time - shown_at[row]
    meets = (place >= 0) & (pair[row] == event_pair) & (late <= int(window * MICROS_PER_SECOND))
    return np.where(meets, row, -1)


def _pairs(user: Ordinals, item: Ordinals) -> Int64s:
    return user.astype(np.int64) << 32 | item.astype(np.int64)
