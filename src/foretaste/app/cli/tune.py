"""`foretaste tune`: search for better hyper-parameters, then train with them."""

from pathlib import Path

from rich.console import Group

from foretaste.app.cli.console import Screen, log_line
from foretaste.app.cli.train import report_text
from foretaste.app.learning import train_home
from foretaste.app.trial_table import trial_table
from foretaste.app.wiring import open_home
from foretaste.domain.artifact import Trial
from foretaste.training.gate import require_passed
from foretaste.training.sources import Effort
from foretaste.training.tuning import Tuning

USUAL_MINUTES = 3.0


def run(
    *,
    home: Path,
    minutes: float | None,
    trials: int | None,
    seed: int | None,
    effort: Effort | None,
    publish: bool,
    fresh: bool,
    as_json: bool,
) -> None:
    """Search until the budget is spent or Ctrl-C, train with what was found; exit with 6 if refused."""
    screen = Screen(as_json=as_json)
    if minutes is None and trials is None:
        minutes = USUAL_MINUTES

    def told(trial: Trial, best: float) -> None:
        if trial.outcome == "adopted":
            values = ", ".join(f"{path}={value}" for path, value in trial.values.items())
            screen.say(f"trial {trial.number}: {trial.source} {values}; NDCG@10 now {best:.4f}")
        if not screen.interactive:
            log_line(step="trial", number=trial.number, source=trial.source, outcome=trial.outcome, best=best)

    with open_home(home, read_only=True, with_model=False) as opened, screen.stages() as progress:
        report = train_home(
            opened,
            seed=seed,
            effort=effort,
            publish=publish,
            tuning=Tuning(trials=trials, minutes=minutes),
            remember=not fresh,
            told=told,
            progress=progress,
        )
    found = report.tuning.trials if report.tuning is not None else ()
    screen.result(report, Group(report_text(report), trial_table(found)))
    if publish:
        require_passed(report.gate)
