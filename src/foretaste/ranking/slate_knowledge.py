"""What the ranker knows of items and people in general, from a log of slates and a catalog."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles, Int64s, Mask, Ordinals
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.item import Item
from foretaste.ranking.click_rates import ClickRates, click_rates, expected_rate
from foretaste.ranking.leanings import Leanings, leanings_of
from foretaste.ranking.position_bias import examination
from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.traits import TraitRows, Traits


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of some items: their traits and, float64 [n], rate, expected rate and looks.

    The traits of item i are row `row[i]` of `rows`, int64, -1 for none. `number` float64 [n, n_numbers] are
    its numbers; `vector` float64 [n, dimensions] places it along the lines on which people differ.
    """

    rows: TraitRows
    row: Int64s
    number: Doubles
    rate: Doubles
    expected: Doubles
    looks: Doubles
    vector: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class SlateKnowledge:
    """Traits of items, their click rates, and how people lean. `look` is how much each place is looked at.

    It is of slates shown before `until` (microseconds; 0: not known).
    """

    traits: Traits
    rates: ClickRates
    leanings: Leanings
    look: Doubles
    until: int = 0

    @property
    def n_traits(self) -> int:
        """How many traits there are."""
        return len(self.rates.appeal)

    def of(self, items: Ordinals, given: Mapping[int, Item] | None = None) -> Known:
        """Return what is known of `items`, by ordinal; `given` maps places in it to items as they are now."""
        rates = self.rates
        known = (items >= 0) & (items < len(rates.rate))
        if not given and known.all():
            rate = rates.rate[items]
            return Known(
                self.traits.rows,
                items.astype(np.int64),
                self.traits.rows.number[items],
                rate,
                rates.expected[items],
                rates.looks[items],
                self.leanings.at(items, rate),
            )
        return self._looked_up(items, given or {}, known)

    def and_also(self, looks: Doubles, clicks: Doubles) -> "SlateKnowledge":
        """Return what is known with more looks and clicks, float64 by item, also of younger ones."""
        return replace(self, rates=self.rates.and_also(looks, clicks))

    def _looked_up(self, items: Ordinals, given: Mapping[int, Item], known: Mask) -> Known:
        rows, rates = self.traits.of(items, given), self.rates
        known[list(given)] = False
        inside = np.where((items >= 0) & (items < len(rates.looks)), items, -1)
        counted = inside >= 0
        looks, clicks = np.zeros(len(items)), np.zeros(len(items))
        looks[counted], clicks[counted] = rates.looks[inside[counted]], rates.clicks[inside[counted]]
        expected = expected_rate(rows, rates.appeal, rates.without_traits(items))
        rate = (clicks + rates.strength * expected) / (looks + rates.strength)
        vector = self.leanings.lines.vectors(rows, rate)
        vector[known] = self.leanings.at(items[known], rate[known])
        return Known(rows, np.arange(len(items)), rows.number, rate, expected, looks, vector)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return all that was learnt as arrays."""
        parts = {
            "traits": self.traits.arrays(),
            "rates": self.rates.arrays(),
            "leanings": self.leanings.arrays(),
        }
        named = {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}
        return {**named, "look": self.look, "until": np.array([self.until])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild it; raise `CorruptArtifactError` where the arrays do not fit together."""
        parts: dict[str, dict[str, NDArray[Any]]] = {"traits": {}, "rates": {}, "leanings": {}}
        for name, array in arrays.items():
            part, _, own = name.partition(".")
            if part in parts:
                parts[part][own] = array
        traits = Traits.from_arrays(parts["traits"])
        counts, appeal = parts["rates"]["looks"], parts["rates"]["appeal"]
        if len(counts) != len(traits.rows) or len(appeal) != len(traits.vocabulary.idf):
            raise CorruptArtifactError(
                "the ranker's rates are not those of its traits; train again", field="ranker"
            )
        rates = ClickRates.from_arrays(parts["rates"], traits.rows)
        leanings = Leanings.from_arrays(parts["leanings"], traits.rows, rates)
        until = int(arrays["until"][0]) if "until" in arrays else 0
        return cls(traits, rates, leanings, arrays["look"], until)


def knowledge_of(slates: ShownSlates, traits: Traits, seed: int) -> SlateKnowledge:
    """Learn from slates with items among those of `traits`."""
    rows, n_traits = traits.rows, len(traits.vocabulary.idf)
    look = examination(slates, len(rows))
    rates = click_rates(slates, rows, n_traits, look)
    leanings = leanings_of(slates, rows, n_traits, rates, look, seed)
    return SlateKnowledge(traits, rates, leanings, look, until=int(slates.time.max(initial=-1)) + 1)
