"""`foretaste evaluate`: learn on one part of a log, judge on the other, nothing stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from foretaste.adapters.files.event_table import Events
from foretaste.adapters.files.reading import read_events, read_items
from foretaste.app.cli.console import Screen
from foretaste.app.cli.options import EffortName, Protocol
from foretaste.app.datasets import movielens_100k
from foretaste.app.judging.corpora import corpus_of_events
from foretaste.app.judging.evaluation import Evaluation
from foretaste.app.judging.running import Asked, judge_corpus
from foretaste.app.learning import corpus_of
from foretaste.app.stores import state_config
from foretaste.app.wiring import open_home
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import EventColumns
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus
from foretaste.training.judging import Learnt
from foretaste.training.sources import QUESTIONS, Effort, chosen_sources

MOVIELENS = "movielens-100k"


@dataclass(frozen=True, slots=True)
class Files:
    """What is read where no home is meant: events, the part that judges (if it is given), items."""

    events: str
    test: Path | None
    items: Path | None
    columns: Mapping[str, str]
    event_type: str | None


def run(
    *,
    home: Path,
    events: str | None,
    test: Path | None,
    items: Path | None,
    columns: Sequence[str],
    event_type: str | None,
    protocol: Protocol,
    count: int,
    limit: int,
    effort: EffortName | None,
    groups: str | None,
    peers: bool,
    curve: Path | None,
    out: Path | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Judge; write tables, JSON, and what files are asked for."""
    screen = Screen(as_json=as_json)
    if curve is not None:
        import_module("foretaste.app.judging.plots")  # what is missing is said before the work
    asked = Asked(protocol=protocol.value, groups=groups, peers=peers, curve=curve is not None)
    config = TrainConfig(judged=limit or None, k=count)
    if events is not None:
        mapping = dict(_pair(text) for text in columns)
        files = Files(events, test, items, mapping, event_type)
        config = _with_effort(config, effort.value if effort else "usual")
        found = _of_files(files, config, asked, seed or 0, screen)
    else:
        if test is not None or items is not None:
            raise InvalidInputError("--test and --items go with --events FILE", field="events")
        found = _of_home(home, config, asked, seed, effort, screen)
    screen.result(found.to_json(), found)
    written = [*(found.save(out) if out else ()), *(found.save_curve(curve) if curve else ())]
    if written:
        screen.say("written: " + ", ".join(str(path) for path in written))


def _of_home(
    home: Path,
    config: TrainConfig,
    asked: Asked,
    seed: int | None,
    effort: EffortName | None,
    screen: Screen,
) -> Evaluation:
    with open_home(home, read_only=True, with_model=False) as opened:
        settings = opened.settings
        config = replace(
            _with_effort(config, effort.value if effort else settings.effort),
            state=state_config(settings),
            scenario=opened.scenarios["home"],
            sources=chosen_sources(settings.sources),
        )
        chosen = settings.seed if seed is None else seed
        return _judged(corpus_of(opened), config, asked, chosen, screen)


def _of_files(files: Files, config: TrainConfig, asked: Asked, seed: int, screen: Screen) -> Evaluation:
    with screen.step("read"):
        events = _read(files.events, files)
        test = None if files.test is None else _read(str(files.test), files)
        items = read_items(files.items) if files.items else ()
        corpus, judging = corpus_of_events(events, items, test)
    return _judged(corpus, config, asked, seed, screen, None if test is None else judging)


def _with_effort(config: TrainConfig, effort: Effort) -> TrainConfig:
    return replace(config, effort=effort, tuned=QUESTIONS[effort][0])


def _judged(
    corpus: Corpus,
    config: TrainConfig,
    asked: Asked,
    seed: int,
    screen: Screen,
    test: EventColumns | None = None,
) -> Evaluation:
    def learnt(found: Learnt) -> None:
        screen.say(f"learnt {found.version}; now the judging part is opened")

    with screen.stages() as progress:
        return judge_corpus(corpus, config, asked, seed=seed, test=test, learnt=learnt, progress=progress)


def _read(source: str, files: Files) -> Events:
    if source == MOVIELENS and not Path(source).exists():
        return movielens_100k()
    found = read_events(Path(source), columns=files.columns, event_type=files.event_type)
    if found.rejected:
        first = found.rejected[0]
        raise InvalidInputError(
            f"{source}: {len(found.rejected):,} rows cannot be used; the first, in line {first.line}: "
            f"{first.reason}",
            field="events",
        )
    return found


def _pair(text: str) -> tuple[str, str]:
    field, equals, name = text.partition("=")
    if not (field and equals and name):
        raise InvalidInputError(f"--column must be FIELD=NAME, not {text!r}", field="column")
    return field, name
