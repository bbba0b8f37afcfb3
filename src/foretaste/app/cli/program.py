"""The program `foretaste`, to which the modules `signatures` add its commands."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from foretaste import __version__
from foretaste.app.cli.dispatch import exit_code, report
from foretaste.domain.errors import InvalidInputError

USAGE_ERROR: type[Exception] = typer.BadParameter.mro()[1]
"""What the parser raises: an option that there is not, a value that cannot be."""


class Program(TyperGroup):
    """Writes what is wrong with its arguments as JSON too, where JSON is asked for."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command that the arguments name, and end the process."""
        given = args[0] if args else options.get("args")
        if "--json" not in (sys.argv if given is None else given):
            return super().main(*args, **options)
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
        except USAGE_ERROR as error:
            refused = _refusal(error)
            report(refused, as_json=True)
            sys.exit(exit_code(refused))
        sys.exit(code)


def _refusal(error: Any) -> InvalidInputError:
    """Return an error of the parser as one of ours."""
    about = getattr(error, "param", None)
    return InvalidInputError(error.format_message(), field=about and about.name)


app = typer.Typer(
    name="foretaste",
    cls=Program,
    help="Real-time recommendations that learn from the very last click, and say why.",
    epilog="Begin with: foretaste demo. Exit codes: 0 done, 2 invalid input, 3 not found, "
    "4 not possible now, 5 damaged data, 6 refused by the quality gate, 7 an optional part is missing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"foretaste {__version__}")
        raise typer.Exit


@app.callback()
def begin(
    version: Annotated[
        bool,
        typer.Option("--version", help="Say which version this is.", callback=_say_version, is_eager=True),
    ] = False,
) -> None:
    """Do nothing before a command."""


models = typer.Typer(help="List the trained models, choose which one serves.", no_args_is_help=True)
app.add_typer(models, name="models")


scenarios = typer.Typer(
    help="List the recipes that answer; check a file of them, or preview what it changes.",
    no_args_is_help=True,
)
app.add_typer(scenarios, name="scenarios")


class Importing(TyperGroup):
    """Understands `import FOLDER` as `import folder FOLDER`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in front where none is named."""
        named = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if named else ["folder", *args])


imports = typer.Typer(
    help="Take over an export of this program (import FOLDER will do), or what another one knows.",
    cls=Importing,
    no_args_is_help=True,
)
app.add_typer(imports, name="import")
