"""Features of candidates for one person at one moment: one pure function, for training and for serving.

The place where an item stood is no feature: it is known only after ranking, and corrected for in the
statistics and in the loss instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Doubles, Floats, Int64s, Mask, Ordinals
from foretaste.domain.item import Item
from foretaste.domain.kernel import kernel
from foretaste.ranking.past import Past
from foretaste.ranking.slate_knowledge import Known, SlateKnowledge
from foretaste.ranking.taste import Chosen, taste_of

PULL = 1.0
SECONDS_PER_HOUR, HOURS_PER_DAY, DAYS_PER_WEEK = 3600, 24, 7
THURSDAY = 3
"""The first day of 1970, counted from Monday as 0."""
_NEVER = np.iinfo(np.int64).min

OF_CANDIDATES = (
    "click_rate",
    "looks",
    "expected_rate",
    "taste",
    "plain_taste",
    "likeness_to_taken",
    "likeness_to_left",
    "taken_before",
    "left_before",
    "leaning",
    "rate_and_leaning",
    "rate_and_taste",
)
RELATIVE = (
    "click_rate",
    "expected_rate",
    "taste",
    "plain_taste",
    "leaning",
    "rate_and_leaning",
    "rate_and_taste",
)
"""These are given again relative to the slate: less its mean, over its deviation."""
RISING = ("click_rate", "rate_and_leaning", "rate_and_taste")
"""The more of these, and of these relative to the slate, the higher the score: a click never harms."""
_RELATIVE_ROWS = [OF_CANDIDATES.index(name) for name in RELATIVE]
OF_OCCASION = ("past_length", "past_share_taken", "past_surprise", "hour", "weekday", "n_candidates")


IN_SLATE = "_in_slate"
"""What a column relative to the slate is called ends so."""
SCORE, RANK = "score_", "rank_"
"""What the columns of a source's score, and of the order by it, are called begins so."""


def _no_rows() -> Floats:
    return np.empty((0, 0), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class SlateRequest:
    """Candidates to rank for a person at the moment `now` (microseconds), and what is known just then.

    `item` int32 [n], -1 for an item without an ordinal; `given` maps places in it to items that are to be
    read as they are now. `scores` float32 [n_sources, n] are the sources' own scores, `popularity` float32
    [n_half_lives, n] the decayed popularity; `first_seen` int64 [n] is when an item first could be shown,
    the least int64 where unknown. Any of these may be empty: its features are then NaN.
    """

    item: Ordinals
    past: Past
    now: int
    given: Mapping[int, Item] = field(default_factory=dict)
    scores: Floats = field(default_factory=_no_rows)
    popularity: Floats = field(default_factory=_no_rows)
    first_seen: Int64s = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        """How many candidates there are."""
        return len(self.item)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns there are: sources and numbers by name, and how many half-lives of popularity."""

    sources: tuple[str, ...] = ()
    n_half_lives: int = 0
    numbers: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each column."""
        return (
            *OF_CANDIDATES,
            *(f"{name}{IN_SLATE}" for name in RELATIVE),
            *OF_OCCASION,
            "age_days",
            *(f"popularity_{number}" for number in range(self.n_half_lives)),
            *(f"{SCORE}{source}" for source in self.sources),
            *(f"{RANK}{source}" for source in self.sources),
            *(f"attribute_{name}" for name in self.numbers),
        )

    @property
    def ordinal(self) -> Mask:
        """Which columns tell the order within the slate, bool [columns]."""
        return np.array([name.startswith(RANK) for name in self.names])

    @property
    def rising(self) -> Mask:
        """Which columns may only raise a score, bool [columns]."""
        return np.array([name.removesuffix(IN_SLATE) in RISING for name in self.names])


def slate_features(request: SlateRequest, knowledge: SlateKnowledge, columns: Columns) -> Doubles:
    """Return the features of every candidate, float64 [n, len(columns.names)]; NaN where unknown.

    Pure: the same request and knowledge give the same bits, whoever calls.
    """
    n = len(request)
    known, past = knowledge.of(request.item, request.given), knowledge.of(request.past.item)
    surprise = request.past.taken.astype(np.float64) - past.rate
    own = _own(request, known, past, surprise, knowledge)
    scores = _rows(request.scores, len(columns.sources), n)
    occasion = _occasion(request, surprise)
    return np.ascontiguousarray(
        np.concatenate(
            [
                own,
                _relative(own[_RELATIVE_ROWS]),
                np.broadcast_to(occasion[:, None], (len(occasion), n)),
                _age(request)[None, :],
                _rows(request.popularity, columns.n_half_lives, n),
                scores,
                _ranks(scores),
                known.number.T,
            ]
        ).T
    )


def _own(
    request: SlateRequest, known: Known, past: Known, surprise: Doubles, knowledge: SlateKnowledge
) -> Doubles:
    taste = taste_of(
        Chosen(known.rows, known.row), Chosen(past.rows, past.row), surprise, knowledge.n_traits, PULL
    )
    leaning = knowledge.leanings.foretell(known.vector, past.vector, surprise)
    taken, left = _before(request)
    return np.stack(
        [
            known.rate,
            np.log1p(known.looks),
            known.expected,
            taste.ridge,
            taste.plain,
            taste.liked,
            taste.passed,
            taken,
            left,
            leaning,
            known.rate + leaning,
            known.rate + 0.5 * (taste.ridge + leaning),
        ]
    )


def _before(request: SlateRequest) -> tuple[Doubles, Doubles]:
    found = np.zeros((2, len(request)))
    _mark(request.item, request.past.item, request.past.taken, found)
    return found[0], found[1]


@kernel
def _mark(item: Ordinals, past: Ordinals, taken: Mask, found: Doubles) -> None:
    for i in range(len(item)):
        for h in range(len(past)):
            if past[h] == item[i]:
                found[0 if taken[h] else 1, i] = 1.0


def _relative(own: Doubles) -> Doubles:
    if not own.shape[1]:
        return own
    off = own - own.mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.square(off).mean(axis=1, keepdims=True))
    return np.asarray(np.divide(off, deviation, out=np.zeros_like(off), where=deviation > 1e-12))


def _occasion(request: SlateRequest, surprise: Doubles) -> Doubles:
    past = request.past
    hours = request.now // (SECONDS_PER_HOUR * MICROS_PER_SECOND)
    return np.array(
        [
            float(len(past)),
            past.taken.mean() if len(past) else np.nan,
            surprise.mean() if len(past) else np.nan,
            float(hours % HOURS_PER_DAY),
            float((hours // HOURS_PER_DAY + THURSDAY) % DAYS_PER_WEEK),
            float(len(request)),
        ]
    )


def _age(request: SlateRequest) -> Doubles:
    if not len(request.first_seen):
        return np.full(len(request), np.nan)
    days = (request.now - request.first_seen.astype(np.float64)) / (86_400.0 * MICROS_PER_SECOND)
    return np.where(request.first_seen == _NEVER, np.nan, np.maximum(days, 0.0))


def _rows(given: Floats, count: int, n: int) -> Doubles:
    if given.shape != (count, n):
        return np.full((count, n), np.nan)
    return given.astype(np.float64)


def _ranks(scores: Doubles) -> Doubles:
    """Return the place of each candidate by each source, 0 for the best; NaN where there are no scores."""
    order = np.argsort(-scores, axis=1, kind="stable")
    ranks = np.empty_like(scores)
    np.put_along_axis(ranks, order, np.arange(scores.shape[1], dtype=np.float64)[None, :], axis=1)
    return np.where(np.isnan(scores), np.nan, ranks)
