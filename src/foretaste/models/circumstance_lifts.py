"""How much each circumstance raises or lowers the odds of each item, with the pull that suits the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import MICROS_PER_SECOND, Doubles, Floats, Int64s, Ordinals
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.interactions import Interactions
from foretaste.models.circumstance_kinds import MOST_CELLS, Kind, kinds_of

PULLS = (3.0, 10.0, 30.0, 100.0, 300.0)
SHARES = (0.25, 0.5, 0.75, 1.0)
DAY = 86_400.0
HALF_LIVES = (float("inf"), 30.0 * DAY, 7.0 * DAY, DAY)
"""Half-lives of the popularity that lifts are added to, in seconds."""
BLOCK, MOST_BLOCKS = 2_000, 50
"""Interactions that are near in time: so many, in at most so many blocks."""
HELD_OUT = 0.1
"""The last part of the interactions, by which is chosen."""
MOST_ASKED = 1_000
FEWEST_ASKED = 30
SMALLEST = 1e-3
LEAST_LIFT = 0.02
"""Smaller lifts are left out of the rows."""
MOST_LIFTS = 5_000
MOST_KINDS = 8
"""Of more kinds of circumstances only those are tried that rank best what came last, each by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Lifts:
    """Rows of lifts by circumstance.

    Row r, named `names[r]`, holds `value`, float32, of `item`, int32 and rising, from `start[r]` to before
    `start[r + 1]`.
    """

    names: tuple[str, ...]
    start: Int64s
    item: Ordinals
    value: Floats
    n_items: int

    def of(self, row: int) -> tuple[Ordinals, Floats]:
        """Return the items of a row and their lifts."""
        places = slice(self.start[row], self.start[row + 1])
        return self.item[places], self.value[places]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all as arrays; `from_arrays` reads them exactly."""
        text = "\n".join(self.names).encode()
        return {
            "names": np.frombuffer(text, np.uint8).copy(),
            "start": self.start,
            "item": self.item,
            "value": self.value,
            "n_items": np.array([self.n_items], np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return what `arrays` came from; raise `CorruptArtifactError` where they contradict each other."""
        text = arrays["names"].tobytes().decode()
        names = tuple(text.split("\n")) if text else ()
        start, item, n_items = arrays["start"], arrays["item"], int(arrays["n_items"][0])
        if (
            len(start) != len(names) + 1
            or start[-1] != len(item)
            or len(item) != len(arrays["value"])
            or (len(item) and not 0 <= item.min() <= item.max() < n_items)
        ):
            raise CorruptArtifactError("the lifts of circumstances contradict each other; train again")
        return cls(names, start, item, arrays["value"], n_items)


@dataclass(frozen=True, slots=True, eq=False)
class LiftChoice:
    """What was chosen; see `ContextPopularityConfig`."""

    lifts: Lifts
    half_life: float
    keys: tuple[str, ...]
    pull: float
    share: float


def chosen_lifts(
    interactions: Interactions,
    seed: int,
    *,
    half_life: float | None,
    keys: Sequence[str] | None,
    pull: float | None,
    share: float | None,
) -> LiftChoice:
    """Return the lifts of all interactions, with what is None chosen on the last tenth of them."""
    kinds = kinds_of(interactions)
    heard = tuple(kinds if keys is None else (key for key in keys if key in kinds))
    weight = (interactions.weight > 0.0).astype(np.float64)
    choice = (heard, pull or PULLS[-1], share or SHARES[-1])
    half_lives = HALF_LIVES if interactions.timed and not interactions.sequential else HALF_LIVES[:1]
    trials = _Trials(interactions, kinds, weight, seed, (half_life,) if half_life else half_lives)
    if keys is None or pull is None or share is None:
        choice = trials.best(heard, (pull,) if pull else PULLS, (share,) if share else SHARES)
    rows = {key: _lifts(_tables(interactions, kinds[key], weight), choice[1]) for key in choice[0]}
    return LiftChoice(_sparse(kinds, rows, interactions.n_items), trials.half_life, *choice)


class _Trials:
    """What came last, and how likely it is after what came before.

    Asked are those who have no earlier interaction, where there are enough of them: nobody needs
    circumstances more.
    """

    def __init__(
        self,
        interactions: Interactions,
        kinds: Mapping[str, Kind],
        weight: Doubles,
        seed: int,
        half_lives: Sequence[float],
    ) -> None:
        generator = np.random.default_rng(seed)
        rows = np.flatnonzero(weight > 0.0)
        rows = rows if interactions.timed else generator.permutation(rows)
        past, asked = np.split(rows, [int(len(rows) * (1.0 - HELD_OUT))])
        strangers = asked[~np.isin(interactions.user[asked], interactions.user[past])]
        asked = strangers if len(strangers) >= FEWEST_ASKED else asked
        most = min(MOST_ASKED, MOST_CELLS // max(interactions.n_items, 1))
        if len(asked) > most:
            asked = np.sort(generator.choice(asked, most, replace=False))
        self._interactions = interactions
        self._kinds = kinds
        self._past = np.zeros(len(interactions))
        self._past[past] = weight[past]
        self._asked = asked
        self._counted: dict[str, tuple[Doubles, Doubles]] = {}
        self._base = np.zeros(interactions.n_items, np.float32)
        self.half_life = half_lives[0]
        if len(asked) >= FEWEST_ASKED:
            bases = {half_life: self._popularity(half_life) for half_life in half_lives}
            value = {half_life: self._gains(base[np.newaxis]).mean() for half_life, base in bases.items()}
            self.half_life = max(value, key=lambda half_life: value[half_life])
            self._base = bases[self.half_life]

    def _popularity(self, half_life: float) -> Floats:
        """Return the log popularity as of the end of the past, float32 [n_items]."""
        weight, time = self._past, self._interactions.time
        if np.isfinite(half_life) and weight.any():
            age = (time[weight > 0.0].max() - time) / (MICROS_PER_SECOND * half_life)
            weight = weight * np.exp2(-np.maximum(age, 0.0))
        counts = np.bincount(self._interactions.item, weight, self._interactions.n_items)
        return np.asarray(np.log1p(counts), np.float32)

    def best(
        self, keys: Sequence[str], pulls: Sequence[float], shares: Sequence[float]
    ) -> tuple[tuple[str, ...], float, float]:
        """Return the kinds heard, the pull and the share that rank what came highest; no kinds for none."""
        best: tuple[tuple[str, ...], float, float] = ((), pulls[-1], shares[-1])
        if len(self._asked) < FEWEST_ASKED:
            return best
        start = self._gains(np.zeros((1, len(self._base)), np.float32))
        value = start
        if len(keys) > MOST_KINDS:
            keys = sorted(keys, key=lambda key: -self._alone(key, PULLS[2], SHARES[1]))[:MOST_KINDS]
        for pull in pulls:
            for share in shares:
                heard, found = self._greedy(keys, pull, share, start)
                if heard and found.mean() > value.mean():
                    best, value = (heard, pull, share), found
        return best

    def _greedy(
        self, keys: Sequence[str], pull: float, share: float, value: Doubles
    ) -> tuple[tuple[str, ...], Doubles]:
        """Return the kinds that, taken up one after another, rank what came higher, and the gains."""
        heard: tuple[str, ...] = ()
        added = np.zeros((1, len(self._base)), np.float32)
        alone = {key: self._alone(key, pull, share) for key in keys}
        for key in sorted(keys, key=lambda key: -alone[key]):
            tried = added + share * self._lifts(key, pull)
            found = self._gains(tried)
            if _is_more(found, value):
                heard, added, value = (*heard, key), tried, found
        return heard, value

    def _alone(self, key: str, pull: float, share: float) -> float:
        return float(self._gains(share * self._lifts(key, pull)).mean())

    def _lifts(self, key: str, pull: float) -> Floats:
        kind = self._kinds[key]
        if key not in self._counted:
            self._counted[key] = _tables(self._interactions, kind, self._past)
        return np.asarray(_lifts(self._counted[key], pull)[kind.code[self._asked]], np.float32)

    def _gains(self, added: Floats) -> Doubles:
        """Return 1 / log2(1 + place) of what came, by popularity and what is `added`; equals share places."""
        score = np.broadcast_to(self._base + added, (len(self._asked), len(self._base)))
        truth = score[np.arange(len(score)), self._interactions.item[self._asked]][:, np.newaxis]
        place = (score > truth).sum(axis=1) + ((score == truth).sum(axis=1) - 1) / 2.0
        return np.asarray(1.0 / np.log2(2.0 + place), np.float64)


def _is_more(ours: Doubles, theirs: Doubles) -> bool:
    """Return whether the mean gain is higher by more than a standard error of the difference."""
    gain = ours - theirs
    return bool(gain.mean() > gain.std() / np.sqrt(len(gain)))


def _tables(interactions: Interactions, kind: Kind, weight: Doubles) -> tuple[Doubles, Doubles]:
    """Return how much of each item came under each name of a kind and how much was to be expected.

    Both are float64 [names + 1, n_items]; the last row is that of none. What is expected of an item is its
    part of the events around that time: else those who came early would seem to dislike what came late.
    """
    n_items, n_names = interactions.n_items, len(kind.names)
    cell = kind.code * n_items + interactions.item
    counted = np.bincount(cell, weight, (n_names + 1) * n_items).reshape(n_names + 1, n_items)
    counts = np.asarray(counted, np.float64)
    expected = np.zeros_like(counts)
    for block in np.array_split(np.flatnonzero(weight > 0.0), _blocks(weight)):
        items = np.bincount(interactions.item[block], weight[block], n_items)
        named = np.bincount(kind.code[block], weight[block], n_names + 1)
        expected += named[:, np.newaxis] * (items / max(items.sum(), SMALLEST))
    return counts, expected


def _lifts(tables: tuple[Doubles, Doubles], pull: float) -> Floats:
    """Return the lifts of a kind, float32 [names + 1, n_items]; the last row, of none, is zero."""
    counts, expected = tables
    lifts: Floats = np.log((counts + pull) / (expected + pull)).astype(np.float32)
    lifts[-1] = 0.0
    return lifts


def _blocks(weight: Doubles) -> int:
    return int(np.clip(np.count_nonzero(weight) // BLOCK, 1, MOST_BLOCKS))


def _sparse(kinds: Mapping[str, Kind], dense: Mapping[str, Floats], n_items: int) -> Lifts:
    """Return the largest lifts of each row, by size."""
    names: list[str] = []
    items: list[Ordinals] = [np.empty(0, np.int32)]
    values: list[Floats] = [np.empty(0, np.float32)]
    for key, lifts in dense.items():
        for name, row in zip(kinds[key].names, lifts, strict=False):
            kept = np.flatnonzero(np.abs(row) >= LEAST_LIFT)
            if len(kept) > MOST_LIFTS:
                kept = np.sort(kept[np.argsort(-np.abs(row[kept]), kind="stable")[:MOST_LIFTS]])
            names.append(name)
            items.append(kept.astype(np.int32))
            values.append(row[kept])
    return Lifts(
        names=tuple(names),
        start=np.cumsum([0, *map(len, items[1:])], dtype=np.int64),
        item=np.concatenate(items),
        value=np.concatenate(values),
        n_items=n_items,
    )
