"""The commands about scenarios: what each takes and says of itself."""

from pathlib import Path
from typing import Annotated

import typer

from foretaste.app.cli.dispatch import runs
from foretaste.app.cli.options import DEFAULT_HOME, Home, Json
from foretaste.app.cli.program import scenarios

File = Annotated[Path, typer.Argument(help="A TOML file of scenarios.", dir_okay=False)]


@scenarios.command("list")
@runs("scenarios", action="list")
def scenarios_list(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List the scenarios, where each comes from, and what is wrong with the file if anything is."""


@scenarios.command("show")
@runs("scenarios", action="show")
def scenarios_show(
    name: Annotated[str, typer.Argument(help="The scenario.")],
    *,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Show the whole recipe of a scenario, as it would stand in the file."""


@scenarios.command("check")
@runs("scenarios", action="check")
def scenarios_check(file: File, *, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Check a file of scenarios; what is wrong is named with its line and key (exit code 2)."""


@scenarios.command("preview")
@runs("scenarios", action="preview")
def scenarios_preview(
    file: File,
    *,
    home: Home = DEFAULT_HOME,
    requests: Annotated[
        int, typer.Option(min=1, max=5000, help="On how many of the latest requests.")
    ] = 1000,
    examples: Annotated[int, typer.Option(min=0, max=100, help="How many lists to show side by side.")] = 3,
    of: Annotated[
        str | None,
        typer.Option(
            metavar="SCENARIO", help="Whose requests they are; the scenario of the same name, or home."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what the changes of a file would show to whom asked last, beside what is shown now."""
