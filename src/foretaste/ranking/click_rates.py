"""Click rates: how often an item is taken when it is looked at, and how often one like it would be."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy import sparse

from foretaste.domain.arrays import Doubles, Ordinals
from foretaste.ranking.position_bias import at_places
from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.traits import TraitRows
from foretaste.ranking.usual_places import rate_by_place, usual_places

STRENGTHS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
PULLS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
STEPS = 40
FEWEST = 20
"""Of items that were looked at: with fewer, traits foretell nothing."""
RAREST = 1e-3
UNKNOWN_RATE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class ClickRates:
    """Looks and clicks by item, float64 [n_items], from a log of slates, free of position bias.

    `appeal` float64 [n_traits] is what each trait adds to an item's expected rate, over `usual` float64
    [n_items], which its usual place lets expect, or `base` for items never shown; `strength` is how many
    looks that expectation is worth against the item's own (empirical Bayes). `expected` and
    `rate`, float64 [n_items], follow from these. Of items younger than their traits there may be looks and
    clicks too: `looks` and `clicks` are then longer than `rate`.
    """

    looks: Doubles
    clicks: Doubles
    appeal: Doubles
    base: float
    usual: Doubles
    strength: float
    expected: Doubles
    rate: Doubles

    @classmethod
    def of(
        cls,
        looks: Doubles,
        clicks: Doubles,
        appeal: Doubles,
        base: float,
        usual: Doubles,
        strength: float,
        rows: TraitRows,
    ) -> Self:
        """Return the rates of items that have the traits `rows`."""
        expected = expected_rate(rows, appeal, usual)
        rate = (clicks + strength * expected) / (looks + strength)
        return cls(looks, clicks, appeal, base, usual, strength, expected, rate)

    def and_also(self, looks: Doubles, clicks: Doubles) -> "ClickRates":
        """Return the rates with more looks and clicks, float64 by item; what traits add stays as it is."""
        every = max(len(looks), len(self.looks))
        looks, clicks = _longer(looks, every), _longer(clicks, every)
        looks[: len(self.looks)] += self.looks
        clicks[: len(self.clicks)] += self.clicks
        own = slice(len(self.expected))
        rate = (clicks[own] + self.strength * self.expected) / (looks[own] + self.strength)
        return replace(self, looks=looks, clicks=clicks, rate=rate)

    def without_traits(self, items: Ordinals) -> Doubles:
        """Return what is expected of items, by ordinal (-1: unknown), whatever their traits, float64 [n]."""
        known = (items >= 0) & (items < len(self.usual))
        found = np.full(len(items), self.base)
        found[known] = self.usual[items[known]]
        return found

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return all that was learnt as arrays."""
        common = np.array([self.base, self.strength])
        return {
            "looks": self.looks,
            "clicks": self.clicks,
            "appeal": self.appeal,
            "usual": self.usual,
            "common": common,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], rows: TraitRows) -> Self:
        """Rebuild the rates that `arrays` came from."""
        base, strength = arrays["common"].tolist()
        usual = arrays.get("usual", np.full(len(rows), base))
        return cls.of(arrays["looks"], arrays["clicks"], arrays["appeal"], base, usual, strength, rows)


def expected_rate(rows: TraitRows, appeal: Doubles, base: Doubles | float) -> Doubles:
    """Return the rate that items of such traits have on average, float64 [len(rows)]; `base` with none."""
    owner = np.repeat(np.arange(len(rows)), np.diff(rows.start))
    added = np.bincount(owner, weights=rows.weight * appeal[rows.term], minlength=len(rows))
    return np.asarray(np.clip(base + added, RAREST, 1.0 - RAREST))


def click_rates(slates: ShownSlates, rows: TraitRows, n_traits: int, look: Doubles) -> ClickRates:
    """Learn the rates; `rows` are the traits of all items, `look` comes from `position_bias.examination`."""
    n_items = len(rows)
    looks, clicks = looks_and_clicks(slates, look, n_items)
    if not looks.any():
        usual = np.full(n_items, UNKNOWN_RATE)
        return ClickRates.of(looks, clicks, np.zeros(n_traits), UNKNOWN_RATE, usual, 1.0, rows)
    base = float(np.clip(clicks.sum() / looks.sum(), RAREST, 1.0 - RAREST))
    usual = rate_by_place(usual_places(slates, n_items), looks, clicks, base)
    appeal, foretold = _appeal(looks, clicks, rows, n_traits, usual)
    strength = max(STRENGTHS, key=lambda size: _likelihood(looks, clicks, foretold, size))
    return ClickRates.of(looks, clicks, appeal, base, usual, strength, rows)


def _longer(counts: Doubles, n: int) -> Doubles:
    return np.concatenate((counts, np.zeros(n - len(counts))))


def looks_and_clicks(slates: ShownSlates, look: Doubles, n_items: int) -> tuple[Doubles, Doubles]:
    """Return how often items were looked at and clicked, float64 [n_items] each; `look` is by place."""
    looks = _counted(slates.item, at_places(look, slates.position), n_items)
    return looks, _counted(slates.item, slates.clicked.astype(np.float64), n_items)


def _counted(item: Ordinals, amount: Doubles, n_items: int) -> Doubles:
    known = (item >= 0) & (item < n_items)
    return np.asarray(np.bincount(item[known], weights=amount[known], minlength=n_items), np.float64)


def _appeal(
    looks: Doubles, clicks: Doubles, rows: TraitRows, n_traits: int, usual: Doubles
) -> tuple[Doubles, Doubles]:
    """Return ridge weights of traits, and every item's rate as foretold from other items alone.

    The pull to zero is the one that foretells best: of two halves of the items, each from the other.
    """
    foretold = np.clip(usual, RAREST, 1.0 - RAREST)
    seen = np.flatnonzero(looks > 0.0)
    shape = (len(rows), n_traits)
    matrix = sparse.csr_matrix((rows.weight.astype(np.float64), rows.term, rows.start), shape)[seen]
    if len(seen) < FEWEST or not matrix.nnz:
        return np.zeros(n_traits), foretold
    root = np.sqrt(looks[seen])
    target = clicks[seen] / looks[seen] - usual[seen]
    weighed = sparse.diags(root) @ matrix
    halves = np.arange(len(seen)) % 2 == 0
    best, least = PULLS[-1], np.inf
    for pull in PULLS:
        added = np.zeros(len(seen))
        for own in (halves, ~halves):
            added[~own] = matrix[~own] @ _ridge(weighed[own], (root * target)[own], pull)
        error = float((looks[seen] * np.square(target - added)).sum())
        if error < least:
            best, least = pull, error
            foretold[seen] = np.clip(usual[seen] + added, RAREST, 1.0 - RAREST)
    return _ridge(weighed, root * target, best), foretold


def _ridge(matrix: sparse.csr_matrix, target: Doubles, pull: float) -> Doubles:
    found = scipy.sparse.linalg.lsqr(matrix, target, damp=float(np.sqrt(pull)), iter_lim=STEPS)[0]
    return np.asarray(found, np.float64)


def _likelihood(looks: Doubles, clicks: Doubles, expected: Doubles, strength: float) -> float:
    """Return the log-likelihood of beta-binomial counts, up to a constant."""
    hits = np.minimum(clicks, looks)
    alpha, beta = strength * expected, strength * (1.0 - expected)
    log_beta = scipy.special.betaln
    return float((log_beta(hits + alpha, looks - hits + beta) - log_beta(alpha, beta)).sum())
