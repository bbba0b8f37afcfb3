"""What was shown and clicked since a model learnt: what its ranker is told while it serves."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from zlib import crc32

import numpy as np

from foretaste.domain.arrays import Doubles, Int64s, Mask, Micros, Ordinals
from foretaste.domain.event import EventColumns
from foretaste.domain.slate import ClickEdition, Exposure
from foretaste.ranking.click_rates import looks_and_clicks
from foretaste.ranking.shown import NO_SLATES, ShownSlates
from foretaste.training.slate_log import answered_rows, is_own

MOST_SLATES = 50_000
AT_ONCE = 5_000
"""So many slates are held whole: since a training long ago there may be millions."""

OrdinalsOf = Callable[[Sequence[str]], Ordinals]
"""Return the ordinals of people by id, -1 for those who have none."""


class ClickLog:
    """Slates, and the events that may answer them, joined anew for each edition.

    Of more than `most` slates those of every second person count, of twice as many those of every fourth, and
    so on: drawn by lot, as a function of what was shown alone. So what is counted for an edition is the same
    whether slates and events were brought at once or as they came.
    """

    def __init__(self, most: int = MOST_SLATES) -> None:
        self._most = most
        self._halvings = 0
        self._slates = NO_SLATES
        self._people: list[str] = []
        self._lot: Int64s = np.empty(0, np.int64)
        self._user: Ordinals = np.empty(0, np.int32)
        self._item: Ordinals = np.empty(0, np.int32)
        self._time: Micros = np.empty(0, np.int64)
        self._seq: Int64s = np.empty(0, np.int64)

    def show(self, exposures: Iterable[Exposure]) -> None:
        """Take slates that were shown, in order of time; who fails to bring all of them has to begin anew."""
        waiting = filter(_counts, exposures)
        while some := list(islice(waiting, AT_ONCE)):
            self._take(some)

    def _take(self, exposures: Sequence[Exposure]) -> None:
        own = [(exposure, str(exposure.user_id)) for exposure in exposures]
        lot = np.array([crc32(name.encode("utf-8", "surrogatepass")) for _, name in own], np.int64)
        drawn = np.flatnonzero(lot % (1 << self._halvings) == 0)
        kept = [own[place] for place in drawn.tolist()]
        more = ShownSlates.of(
            user=np.full(len(kept), -1),
            time=[exposure.time for exposure, _ in kept],
            shown=[exposure.items for exposure, _ in kept],
            clicked=[[False] * len(exposure.items) for exposure, _ in kept],
        )
        self._slates = self._slates.and_then(more)
        self._people += [name for _, name in kept]
        self._lot = np.concatenate((self._lot, lot[drawn]))
        while len(self._slates) > self._most:
            self._halve()

    def hear(self, events: EventColumns, liking: Mask) -> None:
        """Take events, in the order of the log; `liking` bool [n] are signs of liking."""
        self._user = np.concatenate((self._user, events.user[liking]))
        self._item = np.concatenate((self._item, events.item[liking]))
        self._time = np.concatenate((self._time, events.time[liking]))
        self._seq = np.concatenate((self._seq, events.seq[liking]))

    def counted(
        self, edition: ClickEdition, look: Doubles, ordinals_of: OrdinalsOf
    ) -> tuple[Doubles, Doubles]:
        """Return looks and clicks by item, float64 [n].

        A place is looked at `look[place]` times, float64, later places like the last one. The slates that
        were shown are those before `edition.until`; editions rise.
        """
        self._name(ordinals_of)
        user = self._slates.user
        slates = self._slates.take(np.flatnonzero((user >= 0) & (user < edition.people)))
        due = np.flatnonzero((self._seq <= edition.seq) & (self._time < edition.until))
        answered = answered_rows(slates, user=self._user[due], item=self._item[due], time=self._time[due])
        self._forget(due[answered < 0])
        slates.clicked[answered[answered >= 0]] = True
        return looks_and_clicks(slates, look, int(slates.item.max(initial=-1)) + 1)

    def _halve(self) -> None:
        drawn = np.flatnonzero(self._lot % (2 << self._halvings) == 0)
        if len(drawn):
            self._halvings += 1
        else:  # they are of one person, or few
            drawn = np.arange(len(self._lot) // 2, len(self._lot))
        self._slates, self._lot = self._slates.take(drawn), self._lot[drawn]
        self._people = [self._people[place] for place in drawn.tolist()]

    def _name(self, ordinals_of: OrdinalsOf) -> None:
        """Find out who people are who had done nothing before."""
        new = np.flatnonzero(self._slates.user < 0)
        if len(new):
            self._slates.user[new] = ordinals_of([self._people[place] for place in new.tolist()])

    def _forget(self, places: Int64s) -> None:
        """Let go of events that answer nothing: what is shown later, they do not answer either."""
        kept = np.ones(len(self._time), np.bool_)
        kept[places] = False
        self._user, self._item = self._user[kept], self._item[kept]
        self._time, self._seq = self._time[kept], self._seq[kept]


def _counts(exposure: Exposure) -> bool:
    return exposure.user_id is not None and len(exposure.items) > 1 and is_own(exposure)
