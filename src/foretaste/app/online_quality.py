"""How good the answers of a home turned out to be of late."""

from dataclasses import dataclass, replace

import numpy as np

from foretaste.app.home import Home
from foretaste.app.merging import everyone
from foretaste.app.stores import state_config
from foretaste.events.vocabulary import PURCHASE
from foretaste.events.weights import weigh
from foretaste.training.online_quality import QualityWindow, online_quality

MOST_SLATES = 20_000
"""So many of the latest slates are looked at: about a quarter of a second of one core."""


@dataclass(frozen=True, slots=True)
class OnlineQuality:
    """The quality in each window, and when the earliest slate was shown that was looked at (microseconds)."""

    windows: tuple[QualityWindow, ...]
    since: int | None


def measured_online(home: Home, now: int) -> OnlineQuality:
    """Return how good the latest slates were, joined with the log; ids that were merged are one person's."""
    home.exposures.flush()
    exposures = list(home.exposures.read(MOST_SLATES))
    since = exposures[0].time if exposures else now
    events = home.log.window(since, now + 1)
    types = home.id_map.names("type")
    weights = weigh(types, events.type, events.value, state_config(home.settings).weights)
    buying = np.array([name == PURCHASE for name in types], np.bool_)[events.type]
    with home.state.lock:
        events = replace(events, user=home.state.persons(events.user))
    windows = online_quality(exposures, everyone(home), events, weights > 0.0, buying, now=now)
    return OnlineQuality(windows, since if exposures else None)
