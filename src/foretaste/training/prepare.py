"""The log put in order: what comes first to fit on, then what tunes, then what judges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND, Floats, Int64s, Mask
from foretaste.domain.circumstances import Circumstances, known_at
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import EventColumns
from foretaste.domain.interactions import Interactions
from foretaste.evaluation.splits import Split, SplitKind, split
from foretaste.events.weights import weigh
from foretaste.features.item_vectors import usual_dim
from foretaste.models.interface import Learner
from foretaste.models.limits import affordable_questions
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus
from foretaste.training.habits import come_back, taken_once
from foretaste.training.sources import usual_sources, with_sizes, with_words
from foretaste.training.tuning import Tuning

SECONDS_PER_DAY = 86_400
FEWEST, MOST_SCORES = 300, 300_000_000
"""Every question scores all items with every source: beyond so many scores of a source fewer are asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Events in the order they are folded and replayed, numbered anew from 1.

    Positions: the window of learning begins at `begin`, events from `tune` on tune, from `test` on judge.
    `weight` float32 [n]. `counts` bool [n]: the event is a sign of liking; `consuming` bool [n]: the scenario
    does not show the item again after it.
    """

    corpus: Corpus
    config: TrainConfig
    seed: int
    events: EventColumns
    weight: Floats
    counts: Mask
    consuming: Mask
    begin: int
    tune: int
    test: int
    kind: SplitKind
    words: str
    once: tuple[str, ...] = ()
    """The types of events after which people hardly ever come back to an item: these are not shown again."""
    returns: bool = False
    """Whether people come back to what they had, so that it is worth a source."""
    contexts: Circumstances = field(default_factory=Circumstances)
    """What the events said of their moments, by position."""

    @property
    def timed(self) -> bool:
        """Whether the parts follow each other in time, so that they can be replayed."""
        return self.kind == "time"

    @property
    def sources(self) -> Mapping[str, Learner]:
        """What is learnt: the sources asked for, else the usual ones for such data."""
        if self.config.sources is not None:
            return self._as_set(self.config.sources)
        usual = usual_sources(
            timed=self.timed,
            ordered=self.kind != "hold-out",
            effort=self.config.effort,
            vectors=usual_dim(self.corpus.catalog.items) > 0,
            people=bool(self.corpus.people.names or self.contexts.names),
            returns=self.returns,
        )
        return self._as_set(usual)

    def _as_set(self, sources: Mapping[str, Learner]) -> Mapping[str, Learner]:
        """Return the sources as explicit settings say."""
        config = self.config
        return with_sizes(
            with_words(sources, config.max_features),
            factors=config.factors,
            regularization=config.regularization,
            embedding_dim=config.embedding_dim,
        )

    def circumstances_at(self, position: int) -> tuple[str, ...]:
        """Return what was known just before the event at `position`: of its moment and of its person."""
        person = int(self.events.user[position])
        return known_at(self.contexts.of(position), self.corpus.people.of(person))

    @property
    def budget(self) -> Tuning:
        """How much is searched for hyper-parameters, by what there is to fit on."""
        budget = self.config.budget_for(self.tune - self.begin)
        return replace(budget, questions=_questions(budget.questions, self.corpus))

    def interactions(self, stop: int) -> Interactions:
        """Return the weighted events of the window before position `stop`."""
        rows = np.arange(self.begin, stop)
        rows = rows[self.weight[rows] != 0.0]
        ordered = self.kind != "hold-out"
        if self.kind == "sequence":  # of people's last events some come before others' first ones
            rows = rows[np.argsort(self.events.time[rows], kind="stable")]
        return Interactions(
            user=self.events.user[rows],
            item=self.events.item[rows],
            weight=self.weight[rows],
            time=self.events.time[rows] if ordered else np.zeros(len(rows), np.int64),
            n_users=self.corpus.n_users,
            n_items=self.corpus.n_items,
            timed=ordered,
            sequential=self.kind == "sequence",
            circumstances=self.corpus.people,
            contexts=self.contexts.take(rows),
        )

    def window(self) -> dict[str, int]:
        """Return which part of the log was learnt from, for the manifest."""
        seq, time = self.corpus.events.seq, self.events.time[self.begin :]
        return {
            "first_seq": int(seq.min()),
            "last_seq": int(seq.max()),
            "first_time": int(time.min()),
            "last_time": int(time.max()),
            "events": len(time),
        }


def prepare(corpus: Corpus, config: TrainConfig, seed: int) -> Prepared:
    """Order the events and split them; raise `InvalidInputError` where there is nothing to learn from."""
    weight = weigh(corpus.type_names, corpus.events.type, corpus.events.value, config.state.weights)
    if not (weight > 0.0).any():
        raise InvalidInputError(
            "the log holds no event with a positive weight: ingest events first, or give their types weights",
            field="weights",
        )
    in_time = np.lexsort((corpus.events.seq, corpus.events.time))
    time = corpus.events.time[in_time]
    begin = 0
    if config.days is not None:
        begin = int(np.searchsorted(time, time[-1] - config.days * SECONDS_PER_DAY * MICROS_PER_SECOND))
    user = corpus.events.user[in_time]
    parts = split(
        user[begin:],
        time[begin:],
        seed=seed,
        validation=config.validation,
        test=config.test,
        kind=config.split,
    )
    config = _affordable(config, corpus)
    order = np.concatenate([in_time[:begin], in_time[begin:][_one_after_another(parts)]])
    consuming_types = np.array([name in config.scenario.consumed for name in corpus.type_names], np.bool_)
    tune = begin + len(parts.train)
    test = tune + len(parts.validation)
    events, counts = _in_order(corpus.events, order), weight[order] > 0.0
    consuming = consuming_types[events.type]
    before = events.take(0, test)
    single = taken_once(before, counts[:test], consuming[:test], len(corpus.type_names))
    once = tuple(name for name, alone in zip(corpus.type_names, single.tolist(), strict=True) if alone)
    timed = parts.kind == "time"
    ended = consuming[:test] | single[before.type]
    return Prepared(
        corpus=corpus,
        config=_nothing_twice(config, corpus, once, timed=timed),
        seed=seed,
        events=events,
        weight=weight[order],
        counts=counts,
        consuming=consuming,
        begin=begin,
        tune=tune,
        test=test,
        once=once,
        returns=timed and come_back(before, counts[:test], ended),
        kind=parts.kind,
        words=_words(parts.words, once),
        contexts=corpus.contexts.take(order),
    )


def _affordable(config: TrainConfig, corpus: Corpus) -> TrainConfig:
    """Return `config` with so many questions that all sources' scores of all items are not too many."""
    tuned, judged = (
        None if most is None else _questions(most, corpus) for most in (config.tuned, config.judged)
    )
    return replace(config, tuned=tuned, judged=judged)


def _questions(most: int, corpus: Corpus) -> int:
    return affordable_questions(most, corpus.n_items, fewest=FEWEST, scores=MOST_SCORES)


def _nothing_twice(config: TrainConfig, corpus: Corpus, once: Sequence[str], *, timed: bool) -> TrainConfig:
    """Return `config` so that nothing had is listed where, as in a hold-out, nothing had is ever a truth.

    In time order that is so after events of the types `once`; for the rest it is the scenario that says after
    which events an item is not shown again.
    """
    scenario = config.scenario
    consumed = scenario.consumed_where(once) if timed else frozenset(corpus.type_names)
    return replace(config, scenario=msgspec.structs.replace(scenario, consumed=consumed))


def _words(split_words: str, once: Sequence[str]) -> str:
    if not once:
        return split_words
    kinds = " or ".join(kind.replace("_", " ") for kind in once)
    return f"{split_words}; people hardly ever come back: what had a {kinds} is not listed again"


def _one_after_another(parts: Split) -> Int64s:
    return np.concatenate([parts.train, parts.validation, parts.test])


def _in_order(events: EventColumns, order: Int64s) -> EventColumns:
    return EventColumns(
        previous_seq=0,
        seq=np.arange(1, len(order) + 1, dtype=np.int64),
        user=events.user[order],
        item=events.item[order],
        type=events.type[order],
        time=events.time[order],
        key=events.key[order],
        value=events.value[order],
    )
