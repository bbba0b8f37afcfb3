"""Session kNN: recent sessions that share items with this one say what comes next.

A session is the stretch of a person's history around an item. For each of the latest events of the history at
hand, those who touched its item last are looked up; the ones who share most with the history vote for
what they had to do with close to that item, mostly after it. All of it is read from the state, so an
event counts from the next question on. After Kersbergen et al., "Serenade: low-latency session-based
recommendation in e-commerce at scale", SIGMOD 2022 (VMIS-kNN), and Garg et al., "Sequence and time aware
neighborhood for session-based recommendations", SIGIR 2019.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import ref

import msgspec
import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.interface import Moment
from foretaste.models.live_model import Sparse, Told
from foretaste.models.live_tuning import settled
from foretaste.models.popular import discounts
from foretaste.models.recency import spoken
from foretaste.models.session_votes import find_shares, still_vote_so, vote
from foretaste.models.zeros import Zeros

CHOICES: Mapping[str, tuple[Any, ...]] = {
    "recency": (
        Recency(half_life_events=3.0),
        Recency(half_life_events=1.0),
        Recency(power=1.0),
        Recency(half_life_events=8.0),
    ),
    "before": (0.2, 0.0, 0.6),
    "half_life": (3.0, 1.0, 10.0),
    "damping": (0.5, 0.25, 0.75),
    "discount": (0.0, 0.25),
}
"""What is tried for a setting that is left open; the first is the usual value."""
REACH = 20
"""At most so many places before and after the shared item are heard."""
_NOTHING: Int64s = np.empty(0, np.int64)
_NO_VOTERS: Int64s = np.empty((0, 3), np.int64)
FAINT = 1.0 / 8.0
"""A place whose votes count less than this is not heard: it would cost as much as the others."""


class SessionKNNConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="session_knn"):
    """How sessions vote; what is None is chosen by `fit`.

    `events`: how many of the latest events look for neighbours; `neighbours`: how many people vote.
    `recency` says how loudly the events of the history speak; an event's weight is also divided by its
    item's interactions to the power `damping`. A vote for what came d places after the shared item halves
    every `half_life` places; what came before it counts `before` times as much. `discount`: the power of
    an item's own interactions by which votes for it are divided.
    """

    events: int = 6
    neighbours: int = 200
    recency: Recency | None = None
    before: float | None = None
    half_life: float | None = None
    damping: float | None = None
    discount: float | None = None

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "SessionKNN":  # noqa: ARG002 - learns from interactions only
        """Return the model; nothing is learnt but what the configuration leaves open."""
        return SessionKNN(settled(self, CHOICES, interactions, seed))


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One question: which events looked for neighbours, and what these voted (see `vote`)."""

    history: "ref[History]"
    """Not held: it keeps what models worked out of it, and would keep this model with them."""
    moment: Moment
    seq: int
    used: Int64s
    heard: Int64s
    value: Int64s
    entries: Int64s
    event: Ordinals
    voters: Int64s

    def is_about(self, history: History, moment: Moment) -> bool:
        """Return whether this was the question, and nothing happened since."""
        return self.history() is history and self.moment is moment and self.seq == moment.items.seq


class SessionKNN(Sparse[SessionKNNConfig]):
    """What people who lately shared items with this history had to do with around them."""

    name: ClassVar[str] = "session_knn"
    outlives_events: ClassVar[bool] = True
    config_type = SessionKNNConfig

    def __init__(self, config: SessionKNNConfig) -> None:
        super().__init__(config)
        values = {name: getattr(config, name) for name in CHOICES}
        usual = {
            name: choices[0] if values[name] is None else values[name] for name, choices in CHOICES.items()
        }
        self._recency: Recency = usual["recency"]
        self._damping: float = usual["damping"]
        fade = np.exp2(-np.arange(REACH) / usual["half_life"])
        self._after, self._before = _heard(fade), _heard(usual["before"] * fade)
        self._discount = discounts(usual["discount"])
        self._last: Asked | None = None
        self._votes = Zeros(np.int64)

    @property
    def config(self) -> SessionKNNConfig:
        """The configuration, nothing left open."""
        return self._config

    @property
    def fades_with_time(self) -> bool:
        """Whether the events of a history speak more quietly with the time."""
        return self._recency.half_life_seconds is not None

    def made(self, history: History, moment: Moment) -> tuple[Int64s, Any]:
        """Return the sum of the votes, see `Sparse`; nothing where the moment knows no people."""
        asked = self._asked(history, moment)
        return asked.entries, (moment.people, asked.event, asked.voters)

    def stands(self, told: Told, moment: Moment) -> bool:
        """Return whether the same people would vote for the same after what happened since."""
        people, event, voters = told.made_of
        touched = moment.items.touched_since(told.seq)
        if moment.people is None or people is not moment.people or touched is None:
            return False
        seen, sides = moment.people.sessions, (len(self._after), len(self._before))
        return bool(
            still_vote_so(
                told.seq,
                touched,
                event,
                sides,
                voters,
                told.entries,
                seen.users,
                seen.history,
                seen.weight,
                seen.lines,
                seen.read,
                are_discounted=len(self._discount) > 1,
            )
        )

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return the votes that each event brought about; see `Model`."""
        return np.asarray(self.explain_each(history, np.array([item], np.int32), moment)[0])

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return the votes that each event brought about for each item; see `Model`."""
        shares = np.zeros((len(items), len(history)), np.float32)
        last = self._last
        if last is None or not last.is_about(history, moment):
            last = self._asked(history, moment)
        if len(last.used) and moment.people is not None:
            found = np.zeros((len(items), len(last.used)), np.float32)
            counted = moment.people.sessions.interactions
            find_shares(last.heard, last.value, len(last.used), self._discount, counted, items, found)
            shares[:, last.used] = found
        return shares

    def _spoken(self, history: History, moment: Moment) -> tuple[Int64s, Ordinals, Floats]:
        """Return places and items of the events that look for neighbours, and their weights."""
        n_items, most = moment.items.n_items, self._config.events
        used, event, weight = spoken(history, self._recency, moment.now, n_items=n_items, most=most)
        if moment.people is None or not len(used):
            return used[:0], event[:0], weight[:0]
        popular = moment.items.interactions_of(event)
        return used, event, weight * ((1.0 + popular) ** -self._damping).astype(np.float32)

    def _asked(self, history: History, moment: Moment) -> "Asked":
        """Return the votes; they are kept until the next question, for who asks what they came from."""
        used, event, weight = self._spoken(history, moment)
        heard = value = entries = _NOTHING
        voters = _NO_VOTERS
        if moment.people is not None and len(used):
            seen = moment.people.sessions
            heard, value, entries, voters = vote(
                event,
                weight,
                moment.user,
                self._config.neighbours,
                self._after,
                self._before,
                seen.start,
                seen.length,
                seen.touch,
                seen.users,
                seen.history,
                seen.weight,
                seen.lines,
                seen.read,
                self._discount,
                seen.interactions,
                self._votes.of(moment.n_items),
            )
        asked = self._last = Asked(
            ref(history), moment, moment.items.seq, used, heard, value, entries, event, voters
        )
        return asked


def _heard(fade: Doubles) -> Floats:
    return np.asarray(fade[fade >= FAINT], np.float32)
