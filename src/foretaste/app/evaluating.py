"""How good a recommender is on what came next: `ft.evaluate`."""

from dataclasses import replace

import numpy as np

from foretaste.adapters.files.event_table import Events
from foretaste.app.arguments import MOST_ITEMS, MOST_QUESTIONS, within
from foretaste.app.future import future_events
from foretaste.app.judging.evaluation import Evaluation
from foretaste.app.judging.running import RIVALS
from foretaste.app.recommender import Recommender
from foretaste.domain.arrays import Int64s, Mask
from foretaste.domain.circumstances import circumstances_of
from foretaste.domain.errors import NoModelError
from foretaste.domain.event import EventColumns
from foretaste.evaluation.factors import factors_over
from foretaste.evaluation.judgement import Judgement, Surroundings, scores_of
from foretaste.evaluation.profiles import profiles_before
from foretaste.evaluation.regret import regret_of
from foretaste.evaluation.replay import drawn, questions, replay
from foretaste.events.weights import weigh
from foretaste.features.state import State
from foretaste.pipeline.choosing import item_vectors
from foretaste.pipeline.scenario import HOME
from foretaste.training.composition import Composition
from foretaste.training.corpus import Corpus, joined, read_corpus


def evaluate(
    rec: Recommender, events: Events, *, k: int = 10, limit: int | None = None, seed: int = 0
) -> Evaluation:
    """Replay `events`, which came after what `rec` knows, and measure how well each was foretold.

    In time order: before each event of a person with an earlier one, rank all items that the person has
    not had and see where the event's item stands, then let the event in. `rec` itself is not changed:
    the replay works on a copy of its state. Beside the recommender stand each of its sources alone and
    chance. Intervals are 95 % bootstrap intervals over people. At most `limit` questions are asked,
    drawn by `seed`. Each is asked under the circumstances that the event tells in its context and `rec` knows
    of the person.

    Raises `NoModelError` where `rec` has no model, `InvalidQueryError` for a `k` that is not from 1 to 1000
    and a `limit` below 1.

    >>> print(ft.evaluate(rec, events.after("1998-03-01")))
    """
    within("k", k, 1, MOST_ITEMS)
    within("limit", 1 if limit is None else limit, 1, MOST_QUESTIONS)
    home = rec.home
    artifact = home.artifact
    if artifact is None:
        raise NoModelError("nothing is trained yet, so there is nothing to evaluate: foretaste train")
    past = read_corpus(home.log, home.id_map, home.catalog_columns)
    future = future_events(past, home.id_map.names("user"), events, after=home.state.seq)
    known = home.profiles.all()
    people = circumstances_of([known.get(name, {}) for name in future.user_names] if known else [])
    corpus = replace(future.corpus, events=future.columns, contexts=future.contexts, people=people)
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
    items = np.arange(corpus.n_items, dtype=np.int32)
    around = Surroundings(
        owners=_owners(past, corpus.n_items, counts[:start]),
        n_users=past.n_users,
        vectors=item_vectors(artifact, items),
        profiles=profiles_before(every, counts, judgement.user, judgement.position),
        categories=corpus.catalog.categories,
    )
    return Evaluation(
        scores=scores_of(judgement, around, seed=seed, k=k),
        questions=len(judgement),
        possible=judgement.possible,
        k=k,
        words=_words(judgement, k),
        people=len(np.unique(judgement.user)),
        seed=seed,
        version=artifact.version,
        factors=factors_over(judgement, RIVALS, k=k, seed=seed),
        regret=regret_of(judgement, tuple(artifact.models), seed=seed, k=k),
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
