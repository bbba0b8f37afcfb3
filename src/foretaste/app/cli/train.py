"""`foretaste train`: learn, evaluate, publish."""

from pathlib import Path

from rich.console import Group
from rich.text import Text

from foretaste.app.cli.console import Screen
from foretaste.app.compiling import compiling_beside
from foretaste.app.learning import train_home
from foretaste.app.score_table import score_table
from foretaste.app.wiring import open_home
from foretaste.training.gate import require_passed
from foretaste.training.report import TrainReport, TuningReport
from foretaste.training.sources import Effort


def run(
    *, home: Path, seed: int | None, effort: Effort | None, publish: bool, fresh: bool, as_json: bool
) -> None:
    """Train; exit with 6 if the gate refuses."""
    screen = Screen(as_json=as_json)
    with (
        compiling_beside(),
        open_home(home, read_only=True, with_model=False) as opened,
        screen.stages() as progress,
    ):
        report = train_home(
            opened, seed=seed, effort=effort, publish=publish, remember=not fresh, progress=progress
        )
    screen.result(report, report_text(report))
    if publish:
        require_passed(report.gate)


def report_text(report: TrainReport) -> Group:
    """Return a training's report for reading."""
    learnt = f"{report.events:,} events of {report.users:,} users with {report.items:,} items"
    lines = [f"model {report.version}, learnt from {learnt}", f"split {report.split}"]
    asked = f"{report.questions:,} of {report.questions_possible:,} questions about {report.people:,} people"
    verdict = "it serves now" if report.promoted else "it is kept as challenger"
    after = [f"gate {report.gate.words}; {verdict}"]
    if report.regret is not None:
        after.append(f"blend {report.regret.words}")
    if report.tuning is not None:
        after.append(f"tuning {tuning_words(report.tuning)}")
    if report.ranker:
        after.append(f"ranker of slates: {report.ranker}")
    if report.contexts_dropped:
        after.append(f"contexts: {report.contexts_dropped:,} values of events are too manifold to learn from")
    after += [f"left out: {source} ({reason})" for source, reason in report.failures.items()]
    after.append(", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in report.seconds.items()))
    return Group(
        Text("\n".join([*lines, f"judged on {asked}"])),
        score_table(report.scores, report.k),
        Text("\n".join(after)),
    )


def tuning_words(tuning: TuningReport) -> str:
    """Return in words what the search for hyper-parameters came to."""
    chosen = [
        f"{source} {path}={value}"
        for source, values in tuning.chosen.items()
        for path, value in values.items()
    ]
    found = f"chose {', '.join(chosen)}" if chosen else "found nothing better than what there was"
    return (
        f"{found}: NDCG@10 {tuning.before:.4f} → {tuning.after:.4f} on {tuning.questions:,} questions of the "
        f"validation part, {len(tuning.trials)} trials; {tuning.ended}"
    )
