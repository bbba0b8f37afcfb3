"""How good a recommender is on what came next: `ft.evaluate`."""

import io
from dataclasses import dataclass
from html import escape

import numpy as np
import polars as pl
from rich.console import Console, Group
from rich.text import Text

from foretaste.adapters.files.event_table import Events
from foretaste.app.future import future_events
from foretaste.app.recommender import Recommender
from foretaste.app.score_table import score_cells, score_heads, score_table
from foretaste.domain.arrays import Int64s, Mask
from foretaste.domain.errors import NoModelError
from foretaste.domain.event import EventColumns
from foretaste.evaluation.judgement import Judgement, Score, Surroundings, scores_of
from foretaste.evaluation.replay import drawn, questions, replay
from foretaste.events.weights import weigh
from foretaste.features.state import State
from foretaste.pipeline.scenario import HOME
from foretaste.training.composition import Composition
from foretaste.training.corpus import Corpus, joined, read_corpus

WIDTH = 110


@dataclass(frozen=True)
class Evaluation:
    """What a replay found: everyone's scores on the same questions, the recommender (`blend`) first.

    Prints as a table, in a terminal and in a notebook. `questions` were asked out of `possible` ones.
    """

    scores: tuple[Score, ...]
    questions: int
    possible: int
    k: int
    words: str

    def __getitem__(self, name: str) -> Score:
        """Return the scores of `blend`, of one source, or of `random`."""
        return next(score for score in self.scores if score.name == name)

    def to_polars(self) -> pl.DataFrame:
        """Return one row per recommender and metric: name, metric, value, low, high."""
        rows = [
            (score.name, metric, found.value, found.low, found.high)
            for score in self.scores
            for metric, found in score.accuracy.items()
        ]
        return pl.DataFrame(rows, schema=["name", "metric", "value", "low", "high"], orient="row")

    def __rich__(self) -> Group:
        return Group(Text(self.words), score_table(self.scores, self.k))

    def __repr__(self) -> str:
        written = io.StringIO()
        Console(file=written, width=WIDTH, color_system=None).print(self)
        return "\n".join(line.rstrip() for line in written.getvalue().splitlines())

    __str__ = __repr__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in score_heads(self.k))
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in score_cells(score)) + "</tr>"
            for score in self.scores
        )
        return (
            f"<p>{escape(self.words)}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )


def evaluate(
    rec: Recommender, events: Events, *, k: int = 10, limit: int | None = None, seed: int = 0
) -> Evaluation:
    """Replay `events`, which came after what `rec` knows, and measure how well each was foretold.

    In time order: before each event of a person with an earlier one, rank all items that the person has
    not had and see where the event's item stands, then let the event in. `rec` itself is not changed:
    the replay works on a copy of its state. Beside the recommender stand each of its sources alone and
    chance. Intervals are 95 % bootstrap intervals over people. At most `limit` questions are asked,
    drawn by `seed`.

    Raises `NoModelError` where `rec` has no model.

    >>> print(ft.evaluate(rec, events.after("1998-03-01")))
    """
    home = rec.home
    artifact = home.artifact
    if artifact is None:
        raise NoModelError("nothing is trained yet, so there is nothing to evaluate: foretaste train")
    past = read_corpus(home.log, home.id_map, home.catalog_columns)
    future = future_events(past, home.id_map.names("user"), events, after=home.state.seq)
    corpus = future.corpus
    state = State(home.state.config, lambda: corpus.type_names)
    state.restore(home.state.snapshot())
    every = joined([past.events, future.columns])
    start = len(past.events)
    counts, consuming = _marks(every, corpus, state)
    possible = questions(every, start=start, counts=counts, consuming=consuming)
    composition = Composition(corpus, state, artifact, HOME, seed=seed)
    judgement = replay(
        every, drawn(possible, limit, seed), composition, start=start, k=k, possible=len(possible)
    )
    around = Surroundings(owners=_owners(past, corpus.n_items, counts[:start]), n_users=past.n_users)
    return Evaluation(
        scores=scores_of(judgement, around, seed=seed, k=k),
        questions=len(judgement),
        possible=judgement.possible,
        k=k,
        words=_words(judgement, k),
    )


def _marks(every: EventColumns, corpus: Corpus, state: State) -> tuple[Mask, Mask]:
    """Return which events are a sign of liking, and which end the person's interest in the item."""
    weight = weigh(corpus.type_names, every.type, every.value, state.config.weights)
    consuming = np.array([name in HOME.consumed for name in corpus.type_names], np.bool_)
    return weight > 0.0, consuming[every.type]


def _owners(past: Corpus, n_items: int, counts: Mask) -> Int64s:
    pairs = np.unique(past.events.user[counts].astype(np.int64) << 32 | past.events.item[counts])
    return np.bincount(pairs & 0xFFFFFFFF, minlength=n_items).astype(np.int64)


def _words(judgement: Judgement, k: int) -> str:
    n = len(judgement)
    people = len(np.unique(judgement.user))
    asked = f"{n:,} questions" if n == judgement.possible else f"{n:,} of {judgement.possible:,} questions"
    return (
        f"replayed in time order: {asked} about {people:,} people, first {k} places, 95 % intervals by person"
    )
