"""`foretaste train`: learn, evaluate, publish."""

from pathlib import Path

from rich.console import Group
from rich.text import Text

from foretaste.app.cli.console import Screen
from foretaste.app.learning import train_home
from foretaste.app.score_table import score_table
from foretaste.app.wiring import open_home
from foretaste.training.gate import require_passed
from foretaste.training.report import TrainReport


def run(*, home: Path, seed: int | None, publish: bool, as_json: bool) -> None:
    """Train; exit with 6 if the gate refuses."""
    screen = Screen(as_json=as_json)
    with open_home(home, read_only=True, with_model=False) as opened, screen.stages() as progress:
        report = train_home(opened, seed=seed, publish=publish, progress=progress)
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
    after += [f"left out: {source} ({reason})" for source, reason in report.failures.items()]
    after.append(", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in report.seconds.items()))
    return Group(
        Text("\n".join([*lines, f"judged on {asked}"])),
        score_table(report.scores, report.k),
        Text("\n".join(after)),
    )
