"""A home whose slates teach a ranker: people click items of their own kind, whatever else is shown."""

import time

import msgspec
import numpy as np

from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.event import Event
from foretaste.domain.item import Item
from foretaste.domain.slate import Exposure, Versions

N_ITEMS, N_PEOPLE, PLACES, STEPS = 40, 110, 6, 28
SECOND = 1_000_000
WEEK = 7 * 86_400 * SECOND
SETTINGS = Settings(sources=("popularity", "popularity_day"))
VERSIONS = Versions(
    state_seq=1, item_state_seq=1, catalog_version=1, artifact="a", blend="b", scenario="home"
)


def shown_and_clicked():
    """Return exposures at random and clicks of people on those of their own kind.

    All are of the last days, at the same hours and weekdays whenever it is run.
    """
    generator = np.random.default_rng(0)
    begin = time.time_ns() // 1_000 // WEEK * WEEK - STEPS * N_PEOPLE * 60 * SECOND
    exposures, clicks = [], []
    for number in range(STEPS * N_PEOPLE):
        user, now = number % N_PEOPLE, begin + number * 60 * SECOND
        items = generator.permutation(N_ITEMS)[:PLACES].tolist()
        exposures.append(
            Exposure(
                recommendation_id=f"slate-{number}",
                user_id=f"u{user}",
                scenario="home",
                source="personalized",
                time=now,
                items=tuple(items),
                scores=(0.0,) * PLACES,
                propensities=(1.0,) * PLACES,
                versions=VERSIONS,
            )
        )
        clicks += [
            Event(
                event_id=f"{number}-{item}",
                user_id=f"u{user}",
                item_id=f"i{item}",
                type="click",
                timestamp=now + SECOND * (place + 1),
            )
            for place, item in enumerate(items)
            if generator.random() < (0.6 if item % 2 == user % 2 else 0.05)
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
