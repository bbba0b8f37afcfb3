"""A made-up news site: articles live for hours, sessions are short, and what is read comes in bursts."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foretaste.adapters.files.event_table import Events
from foretaste.adapters.files.reading import read_events
from foretaste.app.datasets.synthetic import DAY, START
from foretaste.domain.arrays import MICROS_PER_SECOND, Doubles
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.item import Item

TOPICS = ("politics", "economy", "science", "sports", "culture", "weather", "local", "opinion")
HOUR = 3600 * MICROS_PER_SECOND
HALF_LIFE = 2.5 * HOUR
"""An article draws half as many readers so long after it came out."""
LIFE = 14 * HOUR
"""Nobody opens an article older than this."""
RELATED = 0.45
"""How often a reader goes on to the same story rather than to whatever is of interest."""
TASTE = 0.4
STORY_ARTICLES = 4
CLICKS = 0.62
"""The chance of one more click in a session."""


@dataclass(frozen=True, slots=True, eq=False)
class _Articles:
    """`time` int64, rising; `topic`, `story` int64; `pull` float64: how much an article draws."""

    time: NDArray[np.int64]
    topic: NDArray[np.int64]
    story: NDArray[np.int64]
    pull: Doubles


def synthetic_news(
    *, n_users: int = 3_000, n_articles: int = 1_200, n_sessions: int = 14_000, days: int = 5, seed: int = 0
) -> Events:
    """Return clicks of made-up readers on made-up articles, with the articles as items.

    Articles come out all the time, most are forgotten within hours, and some burst. Readers come for a
    session of two or three clicks by day more than by night, have a taste for topics, take to what draws
    at that hour, and often go on to another article of the same story. So nine of ten clicks are on
    articles that a model fitted a day before has never met. The same arguments give the same events.

    Raises `InvalidInputError` where a number is below 1.

    >>> events = ft.datasets.synthetic_news(n_sessions=2_000, seed=7)
    """
    if min(n_users, n_articles, n_sessions, days) < 1:
        raise InvalidInputError("n_users, n_articles, n_sessions and days must be at least 1", field="days")
    rng = np.random.default_rng(seed)
    articles = _articles(rng, n_articles, days)
    taste = rng.dirichlet(np.full(len(TOPICS), TASTE), size=n_users)
    visits = rng.zipf(1.6, size=n_users).clip(max=60).astype(np.float64)
    reader = rng.choice(n_users, n_sessions, p=visits / visits.sum())
    moment = _by_day(rng, n_sessions, days)
    rows: list[tuple[int, int, int]] = []
    for user, begin in zip(reader.tolist(), moment.tolist(), strict=True):
        rows += _session(rng, articles, taste[user], user, begin)
    user_of, item_of, time_of = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    order = np.argsort(time_of, kind="stable")
    table = pl.DataFrame(
        {
            "user_id": [f"r{number + 1}" for number in user_of[order]],
            "item_id": [f"a{number + 1}" for number in item_of[order]],
            "type": "click",
            "timestamp": time_of[order],
        }
    )
    return read_events(table, items=[_item(articles, number) for number in range(n_articles)])


def _articles(rng: np.random.Generator, n: int, days: int) -> _Articles:
    time = np.sort(START - int(LIFE) + rng.integers(days * DAY + int(LIFE), size=n))
    time[0] = START - HOUR
    n_stories = max(1, n // STORY_ARTICLES)
    begins = np.sort(rng.integers(time[0], time[-1] + 1, size=n_stories))
    story = (np.searchsorted(begins, time) - 1 - rng.geometric(0.2, size=n)).clip(min=0)
    topic = rng.integers(len(TOPICS), size=n_stories)[story]
    return _Articles(time, topic, story, np.exp(rng.normal(0.0, 1.2, size=n)))


def _by_day(rng: np.random.Generator, n: int, days: int) -> NDArray[np.int64]:
    """Return `n` moments, three times as many at the height of the day as at night, in order."""
    drawn = rng.integers(days * DAY, size=4 * n)
    height = 0.5 - 0.5 * np.cos(2.0 * np.pi * (drawn % DAY) / DAY)
    kept = drawn[rng.random(4 * n) < 0.34 + 0.66 * height][:n]
    return np.sort(START + kept).astype(np.int64)


def _session(
    rng: np.random.Generator, articles: _Articles, taste: Doubles, user: int, begin: int
) -> list[tuple[int, int, int]]:
    now, last = begin, -1
    rows: list[tuple[int, int, int]] = []
    had: set[int] = set()
    while True:
        chances = _chances(articles, taste, now, last if rng.random() < RELATED else -1, had)
        if chances is None:
            return rows
        first, chance = chances
        last = first + int(np.searchsorted(np.cumsum(chance), rng.random() * chance.sum(), side="right"))
        had.add(last)
        rows.append((user, last, now))
        if rng.random() > CLICKS:
            return rows
        now += int(rng.exponential(70.0) * MICROS_PER_SECOND) + MICROS_PER_SECOND


def _chances(
    articles: _Articles, taste: Doubles, now: int, last: int, had: set[int]
) -> tuple[int, Doubles] | None:
    """Return the first article that lives, and how much each from there on draws; None where none does."""
    first = int(np.searchsorted(articles.time, now - int(LIFE)))
    end = int(np.searchsorted(articles.time, now, side="right"))
    age = (now - articles.time[first:end]) / HALF_LIFE
    draw = articles.pull[first:end] * np.exp2(-age) * (0.05 + taste[articles.topic[first:end]])
    for article in had:
        if first <= article < end:
            draw[article - first] = 0.0
    if last >= 0:
        same = draw * (articles.story[first:end] == articles.story[last])
        draw = same if same.any() else draw
    return (first, draw) if draw.any() else None


def _item(articles: _Articles, number: int) -> Item:
    topic = TOPICS[articles.topic[number]]
    story = int(articles.story[number]) + 1
    title = f"{topic.capitalize()}, story {story}, part {number + 1}"
    return Item(
        item_id=f"a{number + 1}",
        title=title,
        categories=(topic,),
        available_from=int(articles.time[number]),
    )
