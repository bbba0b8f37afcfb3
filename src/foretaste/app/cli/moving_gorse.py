"""`foretaste import gorse`: what a Gorse knows, from its exports or over its API."""

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from foretaste.adapters.files.rejected import RejectedRows, beside
from foretaste.app.cli.console import Screen
from foretaste.app.importing_gorse import GorseReport, check_readable, gorse_source, import_gorse
from foretaste.app.wiring import open_home
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import InvalidInputError


def run(*, source: str, api_key: str, types: Sequence[str] | None, home: Path, as_json: bool) -> None:
    """Take over what is at `source`, and say what became of it."""
    screen = Screen(as_json=as_json)
    mapped = dict(_pair(text) for text in types or ())
    folder = Path() if "://" in source else Path(source)
    records = gorse_source(source, api_key)
    check_readable(records)
    with (
        RejectedRows(beside(folder / "gorse")) as rejected,
        open_home(home, create=True, beside=True, with_model=False) as opened,
        screen.progress("importing feedback") as advance,
    ):
        report = import_gorse(opened, records, rejected, types=mapped, now=system_clock(), advance=advance)
    screen.result(report, _words(report))


def _pair(text: str) -> tuple[str, str]:
    there, equals, here = text.partition("=")
    if not (there and equals):
        raise InvalidInputError(
            f"--type {text!r} is not THERE=HERE, as star=like; nothing behind the = leaves a type out",
            field="type",
        )
    return there, here


def _words(report: GorseReport) -> Text:
    taken = f"{report.items:,} items, {report.people:,} people and {report.events:,} events taken over"
    lines = [f"{taken} in {report.seconds:.1f} s; {report.duplicates:,} events were there before"]
    lines += [f"  {mapped}: {n:,}" for mapped, n in report.types.items()]
    if report.left_out:
        lines.append(f"  left out, as asked: {report.left_out:,}")
    if report.rejected:
        lines.append(f"{report.rejected:,} records could not be used; {report.rejected_file} says why")
    return Text("\n".join(lines))
