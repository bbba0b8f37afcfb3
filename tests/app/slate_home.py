"""A home whose slates teach a ranker: people click items of their own kind, some of them more than others."""

import time

import msgspec
import numpy as np

from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.event import Event
from foretaste.domain.item import Item
from foretaste.testing.contracts.exposure_log import an_exposure

N_ITEMS, N_PEOPLE, PLACES, STEPS = 40, 110, 6, 28
SECOND = 1_000_000
WEEK = 7 * 86_400 * SECOND
SETTINGS = Settings(sources=("popularity", "popularity_day"))


def a_slate(name, user, time, items):
    """Return the record of a slate of items, ordinals."""
    return msgspec.structs.replace(
        an_exposure(name, time=time, user_id=user),
        items=tuple(items),
        scores=(0.0,) * len(items),
        propensities=(1.0,) * len(items),
    )


def an_event(user, item, kind, time):
    """Return an event whose id is all that it says."""
    event_id = f"{user}-{item}-{kind}-{time}"
    return Event(event_id=event_id, user_id=user, item_id=item, type=kind, timestamp=time)


def shown_and_clicked():
    """Return exposures at random and clicks of people on those of their own kind, the later the more.

    All are of the last days, at the same hours and weekdays whenever it is run.
    """
    generator = np.random.default_rng(0)
    begin = time.time_ns() // 1_000 // WEEK * WEEK - STEPS * N_PEOPLE * 60 * SECOND
    exposures, clicks = [], []
    for number in range(STEPS * N_PEOPLE):
        user, now = number % N_PEOPLE, begin + number * 60 * SECOND
        items = generator.permutation(N_ITEMS)[:PLACES].tolist()
        exposures.append(a_slate(f"slate-{number}", f"u{user}", now, items))
        clicks += [
            an_event(f"u{user}", f"i{item}", "click", now + SECOND * (place + 1))
            for place, item in enumerate(items)
            if generator.random() < (0.3 + 0.6 * item / N_ITEMS if item % 2 == user % 2 else 0.05)
        ]
    return exposures, clicks


def a_home_with_slates(directory):
    """Make a home without a model; one of its slates shows what a reader's id map may not know yet."""
    exposures, clicks = shown_and_clicked()
    items = [
        Item(item_id=f"i{number}", text="calm quiet slow" if number % 2 else "loud quick bright")
        for number in range(N_ITEMS)
    ]
    with open_home(directory, settings=SETTINGS, create=True) as home:
        home.put_items(items)
        home.log.submit(clicks).result()
        unknown = msgspec.structs.replace(exposures[-1], recommendation_id="later", items=(N_ITEMS + 5, 3))
        for exposure in (*exposures, unknown):
            home.exposures.record(exposure)
    return directory
