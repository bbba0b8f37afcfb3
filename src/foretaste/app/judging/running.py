"""`ft.judge`: learn on one part of a log, judge on the other, beside peers, popularity and chance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from threadpoolctl import threadpool_limits

from foretaste.adapters.files.event_table import Events
from foretaste.app.arguments import MOST_ITEMS, MOST_QUESTIONS, one_of, within
from foretaste.app.judging.corpora import corpus_of_events, without_times
from foretaste.app.judging.evaluation import Evaluation
from foretaste.app.judging.implicit_peers import implicit_peers
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import EventColumns
from foretaste.domain.item import Item
from foretaste.evaluation.factors import factors_over
from foretaste.evaluation.judgement import Judgement, Surroundings, scores_of
from foretaste.evaluation.regret import regret_of
from foretaste.training.composition import RANDOM
from foretaste.training.config import Progress, TrainConfig, silent
from foretaste.training.corpus import Corpus
from foretaste.training.judging import (
    Learnt,
    full_surroundings,
    groups_of,
    judge_learnt,
    learn_before,
    liveness_of,
    peers_of,
    with_test,
)
from foretaste.training.prepare import Prepared, prepare
from foretaste.training.report import PRACTISED
from foretaste.training.sources import QUESTIONS, Effort
from foretaste.training.stages import Stages
from foretaste.training.trade_off import Point, trade_off

Kind = Literal["live", "sequence", "static"]
LIMIT = 10_000
"""Questions asked, unless more are wanted."""

RIVALS = ("popularity", RANDOM)
"""What the blend's precision is compared with as a factor."""

HOW = {"time": "live, in time order", "sequence": "each person's last item", "hold-out": "static"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an evaluation is to find out: see `judge`."""

    protocol: Kind = "live"
    groups: str | None = None
    peers: bool = True
    curve: bool = False


def judge(
    events: Events,
    items: Sequence[Item] = (),
    *,
    test: Events | None = None,
    protocol: Kind = "live",
    k: int = 10,
    limit: int | None = LIMIT,
    effort: Effort = "usual",
    groups: str | None = None,
    peers: bool = True,
    curve: bool = False,
    seed: int = 0,
    progress: Progress = silent,
) -> Evaluation:
    """Learn on a part of `events` as `foretaste train` does, and judge on the rest.

    `protocol` is `live` (the last tenth, in time order: before each event everything is ranked that the
    person has not had, then the event is let in), `sequence` (each person's last item; the one before it
    tunes, models know neither) or `static` (a seeded hold-out of about a tenth of all, people's own items,
    times unused). With `test`, `events` are all learnt from and `test` judges: a split that is given. Beside
    the blend stand each of its sources, popularity, chance, and, with `peers`, other makers' recommenders
    that are installed (`implicit`), which learn from the same part and see the same live history. Intervals
    are 95 % bootstrap intervals over people; at most `limit` questions are asked (None: all). `groups` names
    an attribute of the items, or `category`, by which exposure is counted. `curve` measures the same
    questions at many settings of diversity and popularity correction.

    Nothing is chosen by what judges. Raises `InvalidInputError` where there is nothing to learn from, and for
    an argument that is none of those told here.

    >>> print(ft.judge(ft.datasets.movielens_100k(), protocol="live"))
    """
    one_of("protocol", protocol, get_args(Kind))
    one_of("effort", effort, get_args(Effort))
    within("k", k, 1, MOST_ITEMS)
    within("limit", 1 if limit is None else limit, 1, MOST_QUESTIONS)
    corpus, judging = corpus_of_events(events, items, test)
    config = TrainConfig(effort=effort, tuned=QUESTIONS[effort][0], judged=limit, k=k)
    asked = Asked(protocol=protocol, groups=groups, peers=peers, curve=curve)
    return judge_corpus(
        corpus, config, asked, seed=seed, test=None if test is None else judging, progress=progress
    )


def judge_corpus(
    corpus: Corpus,
    config: TrainConfig,
    asked: Asked,
    *,
    seed: int = 0,
    test: EventColumns | None = None,
    learnt: Callable[[Learnt], object] = lambda _learnt: None,
    progress: Progress = silent,
) -> Evaluation:
    """Return the evaluation of a corpus; `learnt` is told what was learnt before the judging part opens."""
    if asked.groups is not None:
        groups_of(corpus.catalog, asked.groups, corpus.n_items)
    clock = Stages(progress)
    with threadpool_limits(limits=1, user_api="blas"):
        with clock.stage("prepare"):
            prepared = _prepared(corpus, config, asked, seed, test)
        with clock.stage("learn"):
            found = learn_before(prepared, progress=progress)
        learnt(found)
        with clock.stage("peers"):
            peers = peers_of(prepared, implicit_peers) if asked.peers else ()
        with clock.stage("judge"):
            judgement = judge_learnt(found, peers, advance=clock.within("judge"))
            around = full_surroundings(found, judgement, asked.groups)
        with clock.stage("measure"):
            scores = scores_of(judgement, around, seed=seed, k=config.k)
            liveness = liveness_of(found)
        curve: tuple[Point, ...] = ()
        if asked.curve:
            with clock.stage("curve"):
                curve = trade_off(found, advance=clock.within("curve"))
    row = found.blend.row(PRACTISED)
    return Evaluation(
        scores=scores,
        questions=len(judgement),
        possible=judgement.possible,
        k=config.k,
        words=words_of(judgement, asked.protocol, prepared, config.k),
        protocol=asked.protocol,
        kind=prepared.kind,
        split=prepared.words,
        people=len(np.unique(judgement.user)),
        seed=seed,
        version=found.version,
        factors=factors_over(judgement, RIVALS, k=config.k, seed=seed),
        regret=regret_of(judgement, tuple(found.models), seed=seed, k=config.k),
        liveness=liveness,
        grouped_by=asked.groups or "",
        groups=shares_of(around),
        weights=dict(zip((*found.blend.sources, "boost"), row.tolist(), strict=True)),
        failures=dict(found.failures),
        seconds=dict(clock.seconds),
        curve=curve,
    )


def shares_of(around: Surroundings) -> Mapping[str, Mapping[str, float]]:
    """Return each group's share of the items and of what people had before the questions."""
    if around.groups is None:
        return {}
    names, code = around.groups.names, around.groups.code
    grouped = code >= 0
    sums = {
        "all items": np.bincount(code[grouped], minlength=len(names)).astype(np.float64),
        "what people had": np.bincount(
            code[grouped], weights=around.owners[: len(code)][grouped], minlength=len(names)
        ),
    }
    return {
        whose: dict(zip(names, (parts / max(parts.sum(), 1.0)).tolist(), strict=True))
        for whose, parts in sums.items()
    }


def words_of(judgement: Judgement, protocol: str, prepared: Prepared, k: int) -> str:
    """Return in a sentence how it was judged."""
    n, people = len(judgement), len(np.unique(judgement.user))
    asked = f"{n:,} questions" if n == judgement.possible else f"{n:,} of {judgement.possible:,} questions"
    how = HOW[prepared.kind]
    if protocol == "live" and not prepared.timed:
        how += " (the events have no times, so they cannot be replayed)"
    return f"{how}: {asked} about {people:,} people, first {k} places, 95 % intervals by person"


def _prepared(
    corpus: Corpus, config: TrainConfig, asked: Asked, seed: int, test: EventColumns | None
) -> Prepared:
    if asked.protocol == "static":
        corpus, config = without_times(corpus), replace(config, split="hold-out")
    elif asked.protocol == "sequence":
        config = replace(config, split="sequence")
    if test is None:
        return prepare(corpus, config, seed)
    if not len(test):
        raise InvalidInputError("there are no events to judge by", field="test")
    prepared = prepare(corpus, replace(config, test=0.0), seed)
    if prepared.kind == "hold-out":
        test = replace(test, time=np.full_like(test.time, corpus.events.time.max()))
    return with_test(prepared, corpus, test)
