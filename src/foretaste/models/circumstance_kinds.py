"""Which circumstances each interaction came under, kind by kind."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Int64s, Ordinals
from foretaste.domain.circumstances import HOURS, Circumstances
from foretaste.domain.interactions import Interactions

SECONDS_PER_HOUR, HOURS_PER_DAY, DAYS_PER_WEEK = 3600, 24, 7
THURSDAY = 3
"""The weekday of 1970-01-01."""
MOST_CELLS = 8_000_000
"""So large a table of circumstances by items may be, the rarer circumstances left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of circumstance: its names, and which of them each interaction has; one beyond for none."""

    names: tuple[str, ...]
    code: Int64s


def kinds_of(interactions: Interactions) -> dict[str, Kind]:
    """Return the kinds of circumstances there are, by the part before `=`: of people, moments and the clock.

    Where a moment says something of a kind, what is known of the person does not count.
    """
    said = _named(interactions.contexts, np.arange(len(interactions)))
    found = _named(interactions.circumstances, interactions.user)
    found |= {key: _over(kind, found.get(key)) for key, kind in said.items()}
    found = _most_frequent(found, interactions.n_items)
    if interactions.timed and not interactions.sequential and len(interactions):
        hours = interactions.time // (MICROS_PER_SECOND * SECONDS_PER_HOUR)
        hour = hours % HOURS_PER_DAY // HOURS
        weekday = (hours // HOURS_PER_DAY + THURSDAY) % DAYS_PER_WEEK
        found["hour"] = Kind(tuple(f"hour={value}" for value in range(0, HOURS_PER_DAY, HOURS)), hour)
        found["weekday"] = Kind(tuple(f"weekday={value}" for value in range(DAYS_PER_WEEK)), weekday)
    return found


def _named(known: Circumstances, row: Ordinals | Int64s) -> dict[str, Kind]:
    """Return the kinds among what is known; that of interaction i stands in `row[i]`."""
    keys: dict[str, list[int]] = {}
    for number, name in enumerate(known.names):
        keys.setdefault(name.partition("=")[0], []).append(number)
    owner = np.repeat(np.arange(len(known.start) - 1), np.diff(known.start))
    found = {}
    for key, numbers in keys.items():
        place = np.full(len(known.names), len(numbers), np.int64)
        place[numbers] = np.arange(len(numbers))
        of_row = np.full(max(len(known.start) - 1, int(row.max(initial=-1)) + 1), len(numbers), np.int64)
        mine = place[known.code] < len(numbers)
        of_row[owner[mine]] = place[known.code[mine]]
        found[key] = Kind(tuple(known.names[number] for number in numbers), of_row[row])
    return found


def _over(said: Kind, known: Kind | None) -> Kind:
    """Return what was said, else what is known, as one kind."""
    if known is None:
        return said
    names = tuple(dict.fromkeys((*said.names, *known.names)))
    place = np.array([*(names.index(name) for name in known.names), len(names)], np.int64)
    return Kind(names, np.where(said.code < len(said.names), said.code, place[known.code]))


def _most_frequent(kinds: Mapping[str, Kind], n_items: int) -> dict[str, Kind]:
    """Return the kinds with the rarest of all names left out, so that tables of names by items stay small."""
    counts = {key: np.bincount(kind.code, minlength=len(kind.names) + 1)[:-1] for key, kind in kinds.items()}
    room = MOST_CELLS // max(n_items, 1)
    every = np.concatenate([np.empty(0, np.int64), *counts.values()])
    if len(every) <= room:
        return dict(kinds)
    kept = np.zeros(len(every), np.bool_)
    kept[np.argsort(-every, kind="stable")[:room]] = True
    found, first = {}, 0
    for key, kind in kinds.items():
        own = np.flatnonzero(kept[first : first + len(kind.names)])
        first += len(kind.names)
        place = np.full(len(kind.names) + 1, len(own), np.int64)
        place[own] = np.arange(len(own))
        if len(own):
            found[key] = Kind(tuple(kind.names[number] for number in own), place[kind.code])
    return found
