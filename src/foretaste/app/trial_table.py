"""Trials of tuning as a table."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from foretaste.domain.artifact import Trial

SHOWN = ("adopted", "beaten", "failed")


def trial_table(trials: Sequence[Trial], *, every: bool = False) -> Table | str:
    """Return the trials that went to the end, or `every` one: the source, what was tried, what it gained."""
    shown = [trial for trial in trials if every or trial.outcome in SHOWN]
    if not shown:
        return ""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, justify in (("trial", "right"), ("source", "left"), ("values", "left"), ("gain", "right")):
        table.add_column(name, justify="right" if justify == "right" else "left", overflow="fold")
    table.add_column("")
    for trial in shown:
        values = ", ".join(f"{path}={value}" for path, value in trial.values.items())
        gain = "" if trial.outcome == "failed" else f"{trial.gain:+.4f} ± {trial.error:.4f}"
        table.add_row(str(trial.number), trial.source, values, gain, trial.outcome)
    return table
