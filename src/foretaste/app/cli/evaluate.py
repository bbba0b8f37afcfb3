"""`foretaste evaluate`: the protocol of the project on what a home holds."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Group
from rich.text import Text

from foretaste.app.cli.console import Screen
from foretaste.app.cli.options import Protocol
from foretaste.app.learning import corpus_of
from foretaste.app.score_table import score_table
from foretaste.app.stores import state_config
from foretaste.app.wiring import open_home
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus
from foretaste.training.report import TrainReport
from foretaste.training.run import learn


def run(
    *, home: Path, protocol: Protocol, count: int, limit: int | None, seed: int | None, as_json: bool
) -> None:
    """Learn from the first part of the log, judge on the last; nothing is stored or published."""
    screen = Screen(as_json=as_json)
    with open_home(home, read_only=True, with_model=False) as opened:
        corpus = corpus_of(opened)
        if protocol is Protocol.STATIC:
            corpus = without_times(corpus)
        config = TrainConfig(state=state_config(opened.settings), judged=limit, k=count)
        chosen = opened.settings.seed if seed is None else seed
        with screen.stages() as progress:
            trained = learn(
                corpus, created_at=time.time_ns() // 1_000, seed=chosen, config=config, progress=progress
            )
    screen.result({"protocol": protocol.value, **_brief(trained.report)}, _text(protocol, trained.report))


def without_times(corpus: Corpus) -> Corpus:
    """Return the corpus with all events at its last moment: evaluated by a hold-out per user then."""
    time_of_all = np.full_like(corpus.events.time, corpus.events.time.max(initial=0))
    return replace(corpus, events=replace(corpus.events, time=time_of_all))


def _brief(report: TrainReport) -> dict[str, object]:
    fields = ("kind", "split", "questions", "questions_possible", "people", "k", "scores", "weights", "seed")
    return {name: getattr(report, name) for name in fields}


def _text(protocol: Protocol, report: TrainReport) -> Group:
    how = "live, in time order" if report.kind == "time" else "static"
    note = ""
    if protocol is Protocol.LIVE and report.kind != "time":
        note = " (the events have no times, so they cannot be replayed)"
    asked = f"{report.questions:,} of {report.questions_possible:,} questions about {report.people:,} people"
    lines = f"{how}{note}: {asked}\nsplit {report.split}"
    return Group(Text(lines), score_table(report.scores, report.k))
