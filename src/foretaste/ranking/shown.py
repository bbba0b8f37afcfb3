"""Slates as they were shown, and what was clicked in them: what the ranker learns from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Int64s, Mask, Micros, Ordinals


@dataclass(frozen=True, slots=True, eq=False)
class ShownSlates:
    """Slates after one another: slate s showed `item[start[s]:start[s + 1]]`, from the first place on.

    `user` int32 and `time` int64 (microseconds) are by slate; `item` int32, `clicked` bool and `score`
    float64, which the items were shown by (NaN where that is not known), by place; `start` int64 [n + 1].
    """

    user: Ordinals
    time: Micros
    start: Int64s
    item: Ordinals
    clicked: Mask
    score: Doubles

    @classmethod
    def of(
        cls,
        user: Sequence[int] | Ordinals,
        time: Sequence[int] | Micros,
        shown: Sequence[Sequence[int] | Ordinals],
        clicked: Sequence[Sequence[bool] | Mask],
        score: Sequence[Sequence[float] | Doubles] | None = None,
    ) -> "ShownSlates":
        """Return the slates of these people, moments, items, clicks and scores, one entry each per slate."""
        start = np.cumsum([0, *map(len, shown)], dtype=np.int64)
        return cls(
            user=np.asarray(user, np.int32),
            time=np.asarray(time, np.int64),
            start=start,
            item=np.concatenate([np.empty(0, np.int32), *(np.asarray(s, np.int32) for s in shown)]),
            clicked=np.concatenate([np.empty(0, np.bool_), *(np.asarray(c, np.bool_) for c in clicked)]),
            score=np.full(start[-1], np.nan)
            if score is None
            else np.concatenate([np.empty(0), *(np.asarray(s, np.float64) for s in score)]),
        )

    def __len__(self) -> int:
        """How many slates there are."""
        return len(self.user)

    @property
    def sizes(self) -> Int64s:
        """How many places each slate has, int64 [n]."""
        return np.diff(self.start)

    @property
    def telling(self) -> Int64s:
        """The slates of which something was clicked, and something not: these tell what is liked more."""
        clicks = np.bincount(self.slate[self.clicked], minlength=len(self))
        return np.flatnonzero((clicks > 0) & (clicks < self.sizes))

    def halves(self, seed: int) -> list[Int64s]:
        """Return the telling slates of half of the people and the others'; all once if a half has none."""
        telling = self.telling
        people, who = np.unique(self.user[telling], return_inverse=True)
        first = np.random.default_rng(seed).permutation(len(people))[who] % 2 == 0
        return [telling] if first.all() else [telling[first], telling[~first]]

    @property
    def position(self) -> Int64s:
        """The place of each row in its slate, from 0, int64 [rows]."""
        return np.arange(len(self.item)) - np.repeat(self.start[:-1], self.sizes)

    @property
    def slate(self) -> Int64s:
        """Which slate each row belongs to, int64 [rows]."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def rows(self, chosen: Int64s) -> Int64s:
        """Return the row numbers of the slates at positions `chosen`, slate by slate."""
        sizes = self.sizes[chosen]
        first = np.concatenate(([0], np.cumsum(sizes)))
        return np.arange(first[-1]) + np.repeat(self.start[chosen] - first[:-1], sizes)

    def and_then(self, others: "ShownSlates") -> "ShownSlates":
        """Return these slates and `others` after them."""
        return ShownSlates(
            np.concatenate((self.user, others.user)),
            np.concatenate((self.time, others.time)),
            np.concatenate((self.start, self.start[-1] + others.start[1:])),
            np.concatenate((self.item, others.item)),
            np.concatenate((self.clicked, others.clicked)),
            np.concatenate((self.score, others.score)),
        )

    def take(self, chosen: Int64s) -> "ShownSlates":
        """Return the slates at positions `chosen`."""
        rows = self.rows(chosen)
        start = np.concatenate(([0], np.cumsum(self.sizes[chosen])))
        return ShownSlates(
            self.user[chosen],
            self.time[chosen],
            start,
            self.item[rows],
            self.clicked[rows],
            self.score[rows],
        )


NO_SLATES = ShownSlates.of([], [], [], [])
