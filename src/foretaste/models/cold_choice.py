"""How to foretell items that came after training: chosen on items that are held out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import sparse

from foretaste.domain.arrays import Doubles, Floats, Int64s, Mask, Ordinals
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.item_state import no_items
from foretaste.models.interface import Learner, Model, Moment
from foretaste.models.item_features import Described
from foretaste.models.likeness import Anchors, Mixtures, most_taken
from foretaste.models.limits import affordable_questions
from foretaste.models.training_matrix import part, with_users_up_to
from foretaste.models.tuning import Validation, ndcg_by_rows, validation

WORDS = (0.5, 1.0, 0.0)
"""Parts of the words in likeness that are tried; equals go to the earlier."""
GAINS = (1.0, 0.5, 0.25, 1.5, 2.0, 3.0)
PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0)
USUAL_PENALTY = 3.0
MOST_QUESTIONS = 500
MOST_SCORES = 50_000_000
"""Fewer are asked where they would need more scores of items than these, which are all kept: 200 MB."""
FEWEST_QUESTIONS = 30
MOST_COLD = 10_000
"""Items without interactions that are foretold while choosing; where there are more, some of them."""
MOST_FITTED = 1_000_000
"""`base` is trained again on the histories of so many interactions at most."""
LOT = 0.15
"""The part of the items that is held out where none came late in the window."""
HARM = 0.995
"""What foretelling may cost at most where none of it pays: the value with it over that without."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen; see `ColdItemsConfig`."""

    way: Literal["likeness", "ridge", "none"] = "likeness"
    words: float = 0.5
    gain: float = 1.0
    penalty: float = USUAL_PENALTY


def choose(
    base: Model, interactions: Interactions, seed: int, catalog: CatalogColumns, about: Described
) -> Choice:
    """Choose the way on trained items drawn by `seed`, and how far to follow it on the newest ones.

    The way: some of the trained items are foretold from the others, for people who took them. The gain, where
    there are times: `base` is trained again without the window's last tenth, whose questions show what the
    items that it brought are worth beside old ones, or that they are worth nothing. Where that tenth brought
    too few, or without times, the gain is 1.
    """
    drawn = _drawn(interactions, seed, about.told)
    if drawn is None:
        return Choice()
    choice = _best_way(_trial(base, drawn, catalog, about), base, about, seed)
    latest = _latest(interactions, seed, about.told) if interactions.timed else None
    if latest is None:
        return choice
    learner: Learner = base.config
    latest = replace(latest, train=with_users_up_to(latest.train, MOST_FITTED, seed))
    model = learner.fit(latest.train, seed, catalog)
    trial = _trial(model, latest, catalog, about)
    foretold = _foretold(trial, model, about, choice)
    off = trial.value(trial.scores)
    values = [trial.value(trial.filled(foretold * np.float32(gain))) for gain in GAINS]
    best = int(np.argmax(values))
    if values[best] < HARM * off:
        return Choice(way="none")
    return Choice(choice.way, choice.words, GAINS[best], choice.penalty)


def ridge_map(dense: Floats, factors: Floats, count: Int64s, penalty: float) -> Floats:
    """Return the ridge regression from content to factors, float32 [dense dim + 1, factors dim].

    Items weigh by the root of `count`; the last row is the constant, which is penalized alike.
    """
    n_items = min(len(dense), len(factors), len(count))
    trained = np.flatnonzero((count[:n_items] > 0) & dense[:n_items].any(axis=1))
    weight = np.sqrt(count[trained].astype(np.float64))
    rows: Doubles = np.ones((len(trained), dense.shape[1] + 1))
    rows[:, :-1] = dense[trained]
    weighted = rows * weight[:, np.newaxis]
    system = weighted.T @ rows
    system.ravel()[:: len(system) + 1] += penalty * max(float(weight.mean()) if len(weight) else 0.0, 1e-6)
    return np.linalg.solve(system, weighted.T @ factors[trained]).astype(np.float32)


def best_penalty(dense: Floats, factors: Floats, count: Int64s, seed: int) -> float:
    """Return the penalty that foretells the factors of a fifth of the items best from the others."""
    held = np.random.default_rng(seed).random(len(count)) < 0.2
    n_items = min(len(dense), len(factors), len(count))
    asked = np.flatnonzero(held[:n_items] & (count[:n_items] > 0) & dense[:n_items].any(axis=1))
    if len(asked) < FEWEST_QUESTIONS:
        return USUAL_PENALTY
    rows = np.concatenate((dense[asked], np.ones((len(asked), 1), np.float32)), axis=1)
    weight = np.sqrt(count[asked])[:, np.newaxis]
    errors = []
    for penalty in PENALTIES:
        learnt = ridge_map(dense, factors, np.where(held, 0, count), penalty)
        errors.append(float((weight * np.square(rows @ learnt - factors[asked])).sum()))
    return PENALTIES[int(np.argmin(errors))]


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """Questions, the scores of all items without content, and which items are cold."""

    questions: Validation
    count: Int64s
    cold: Ordinals
    scores: Floats

    def filled(self, foretold: Floats) -> Floats:
        """Return the scores with those of the cold items, float32 [questions, cold]."""
        scores = self.scores.copy()
        scores[:, self.cold] = foretold
        return scores

    def value(self, scores: Floats) -> float:
        """Return the NDCG of `scores`."""
        return ndcg_by_rows(self.questions, lambda rows: np.asarray(scores[rows]))

    def value_among_cold(self, foretold: Floats) -> float:
        """Return the NDCG of the questions whose answers are cold, ranking cold items only."""
        scores = np.full_like(self.scores, -np.inf)
        scores[:, self.cold] = foretold
        is_cold = np.zeros(scores.shape[1], np.bool_)
        is_cold[self.cold] = True
        rows = [row for row, answer in enumerate(self.questions.answers) if is_cold[answer].all()]
        some = _some(self.questions, np.array(rows, np.int64))
        return _Trial(some, self.count, self.cold, scores[rows]).value(scores[rows])


def _best_way(trial: _Trial, model: Model, about: Described, seed: int) -> Choice:
    """Return the way that ranks the cold items best among each other."""
    ways = [Choice(words=words) for words in WORDS]
    factors = getattr(model, "item_factors", None)
    if factors is not None:
        ways.append(Choice(way="ridge", penalty=best_penalty(about.dense, factors, trial.count, seed)))
    values = [trial.value_among_cold(_foretold(trial, model, about, way)) for way in ways]
    return ways[int(np.argmax(values))]


def _foretold(trial: _Trial, model: Model, about: Described, choice: Choice) -> Floats:
    """Return the scores of the cold items, float32 [questions, cold], by one way."""
    if choice.way == "ridge":
        factors: Floats = model.item_factors  # type: ignore[attr-defined] # a ridge is chosen for models that have them
        ridge = ridge_map(about.dense, factors, trial.count, choice.penalty)
        vectors = about.dense[trial.cold] @ ridge[:-1] + ridge[-1]
        return _scores_of(model, vectors, trial.questions.histories)
    mixtures = mixtures_of(trial.cold, about, trial.count, choice.words)
    foretold: Floats = trial.scores @ _matrix(mixtures, trial.scores.shape[1]).T
    return foretold


def mixtures_of(items: Ordinals, about: Described, count: Int64s, words: float) -> Mixtures:
    """Return `items` as mixtures of those with a `count`, all items being described by `about`."""
    anchors = most_taken(count, about.told)
    return Anchors(anchors, about.take(anchors)).mixtures(items, about.take(items), words)


def _matrix(mixtures: Mixtures, n_items: int) -> sparse.csr_matrix:
    rows, parts = mixtures.part.shape
    start = np.arange(0, rows * parts + 1, parts)
    entries = (mixtures.weight.ravel(), mixtures.part.ravel(), start)
    return sparse.csr_matrix(entries, shape=(rows, n_items))


def _scores_of(model: Model, vectors: Floats, histories: Sequence[History]) -> Floats:
    """Return the scores of items with these vectors, float32 [histories, items], for a factor model."""
    n_items = len(model.item_factors)  # type: ignore[attr-defined] # asked for `item_factors` before
    items = np.arange(n_items, n_items + len(vectors), dtype=np.int32)
    extended: Model = model.with_factors(items, vectors)  # type: ignore[attr-defined] # as above
    moment = Moment(now=0, items=no_items(), catalog=CatalogColumns.empty())
    return np.stack([extended.score(history, _at(moment, history), items) for history in histories])


def _trial(model: Model, questions: Validation, catalog: CatalogColumns, about: Described) -> _Trial:
    train = questions.train
    count = np.bincount(train.item[train.weight > 0.0], minlength=catalog.n_items).astype(np.int64)
    cold = _some_cold(np.flatnonzero((count == 0) & about.told).astype(np.int32), questions.answers)
    moment = Moment(now=0, items=no_items(), catalog=catalog)
    scores = [model.score(history, _at(moment, history)) for history in questions.histories]
    return _Trial(questions, count, cold, np.stack(scores))


def _some_cold(cold: Ordinals, answers: Sequence[Ordinals]) -> Ordinals:
    """Return the answers among the `cold` items, with others to `MOST_COLD` in all, evenly chosen; rising."""
    if len(cold) <= MOST_COLD:
        return cold
    asked = np.intersect1d(cold, np.concatenate([*answers, cold[:0]]))
    others = np.setdiff1d(cold, asked)
    rows = np.linspace(0, len(others) - 1, max(1, MOST_COLD - len(asked))).astype(np.int64)
    return np.union1d(asked, others[np.unique(rows)] if len(others) else others)


def _at(moment: Moment, history: History) -> Moment:
    now = int(history.time[-1]) if len(history) else 0
    return Moment(now=now, items=moment.items, catalog=moment.catalog)


def _latest(interactions: Interactions, seed: int, told: Mask) -> Validation | None:
    """Return questions of the window's last tenth; None where too few are answered by items it brought."""
    questions = validation(interactions, seed)
    known = np.zeros(len(told), np.bool_)
    known[questions.train.item[questions.train.weight > 0.0]] = True
    fresh = [row for row, answer in enumerate(questions.answers) if (told & ~known)[answer].all()]
    if len(fresh) < FEWEST_QUESTIONS:
        return None
    return _some(questions, _evenly(len(questions), _most(len(told))))


def _drawn(interactions: Interactions, seed: int, told: Mask) -> Validation | None:
    """Return questions answered by items drawn by `seed`, which are not in the training; None if too few."""
    generator = np.random.default_rng(seed)
    cold = told & (generator.random(len(told)) < LOT)
    is_cold = cold[interactions.item]
    train = part(interactions, ~is_cold)
    wanted = part(interactions, is_cold & (interactions.weight > 0.0))
    histories: list[History] = []
    answers: list[Ordinals] = []
    order = np.argsort(train.user, kind="stable")
    bounds = np.searchsorted(train.user[order], np.arange(interactions.n_users + 1))
    asked = np.unique(wanted.user)
    most = _most(len(told))
    for user in generator.permutation(asked).tolist():
        rows = order[bounds[user] : bounds[user + 1]]
        if len(rows) and len(histories) < most:
            none = np.zeros(len(rows), np.int16)
            histories.append(History(train.item[rows], train.weight[rows], train.time[rows], none))
            answers.append(np.unique(wanted.item[wanted.user == user]).astype(np.int32))
    return Validation(train, histories, answers) if len(histories) >= FEWEST_QUESTIONS else None


def _most(n_items: int) -> int:
    return affordable_questions(MOST_QUESTIONS, n_items, fewest=2 * FEWEST_QUESTIONS, scores=MOST_SCORES)


def _evenly(count: int, most: int) -> Int64s:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _some(questions: Validation, rows: Int64s) -> Validation:
    return Validation(
        questions.train,
        [questions.histories[row] for row in rows.tolist()],
        [questions.answers[row] for row in rows.tolist()],
    )
