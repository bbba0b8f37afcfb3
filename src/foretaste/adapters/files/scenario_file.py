"""Scenarios in a TOML file: a table each, and errors with file, line and key."""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from foretaste.adapters.files.toml_places import Place, nearest_place, places_of
from foretaste.adapters.files.toml_text import table_text
from foretaste.domain.errors import InvalidInputError
from foretaste.pipeline.recipes import RecipeError, path_text, read_recipe, recipe_of
from foretaste.pipeline.scenario import Scenario

MOST_BYTES = 1 << 20
_SAID = re.compile(r"(?P<problem>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)")


class ScenarioFileError(InvalidInputError):
    """A file of scenarios that cannot be used.

    `line` and `column` count from 1, None where none is to blame; the message names the column where `exact`.
    """

    def __init__(
        self,
        file: str,
        problem: str,
        *,
        key: str | None = None,
        place: Place | None = None,
        exact: bool = False,
    ) -> None:
        self.line = None if place is None else place.line
        self.column = None if place is None else place.column
        where = file if place is None else f"{file}, line {place.line}"
        where += f", column {self.column}" if exact and place is not None else ""
        super().__init__(f"{where}: {problem}" if key is None else f"{where}, {key}: {problem}", field=key)


def read_scenario_file(path: Path) -> str:
    """Return the text of a file of scenarios; raise `ScenarioFileError` where it cannot be one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScenarioFileError(str(path), f"the file cannot be read ({error.strerror})") from error
    if len(content) > MOST_BYTES:
        raise ScenarioFileError(str(path), f"the file has more than {MOST_BYTES:,} bytes; make it smaller")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ScenarioFileError(
            str(path), "this is not UTF-8; save the file as UTF-8", place=Place(line, 1, 0)
        ) from error


def parse_scenarios(
    text: str,
    file: str,
    bases: Mapping[str, Scenario],
    check: Callable[[Mapping[str, Scenario]], object],
) -> dict[str, Scenario]:
    """Return the scenarios of a text; what a table does not say is as in the one of its name in `bases`.

    `check` raises `RecipeError` where they cannot be used. Raises `ScenarioFileError` for all that is wrong,
    with the line of the key.
    """
    document = _document(text, file)
    try:
        found = {name: _recipe(name, given, bases.get(name)) for name, given in document.items()}
        check(found)
    except RecipeError as error:
        raise located(error, text, file) from error
    return found


def located(error: RecipeError, text: str, file: str) -> ScenarioFileError:
    """Return an error of a recipe with its place in the text that it was read from."""
    places = places_of(text)
    place = nearest_place(places, error.path)
    if place is not None and error.at is not None and error.path in places:
        place = _within(text.replace("\r\n", "\n"), places[error.path], error.at)
    exact = error.at is not None
    return ScenarioFileError(file, error.problem, key=path_text(error.path), place=place, exact=exact)


def scenario_text(scenario: Scenario) -> str:
    """Return a scenario as a table of such a file, with all its keys."""
    return table_text([scenario.name], recipe_of(scenario))


def _recipe(name: str, given: object, base: Scenario | None) -> Scenario:
    if not isinstance(given, dict):
        raise RecipeError((name,), "keys belong into the table of a scenario, as below a line [home]")
    return read_recipe(name, given, base)


def _document(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = _SAID.fullmatch(str(error))
        place = Place(int(said["line"]), int(said["column"]), 0) if said else _end(text)
        problem = said["problem"] if said else str(error)
        raise ScenarioFileError(file, f"not valid TOML: {problem}", place=place, exact=True) from error
    except RecursionError as error:
        raise ScenarioFileError(file, "brackets are nested too deep; use fewer") from error


def _end(text: str) -> Place:
    last = text.rstrip().rpartition("\n")
    return Place(last[0].count("\n") + bool(last[1]) + 1, len(last[2]) + 1, 0)


def _within(text: str, place: Place, at: int) -> Place:
    """Return the place of a character of an expression, or of one that is not written plainly."""
    begin = place.value
    end = text.find("\n", begin)
    line = text[begin : len(text) if end < 0 else end]
    if line[:1] not in {'"', "'"} or line[:3] in {'"""', "'''"} or "\\" in line:
        return place
    before = text[:begin]
    return Place(before.count("\n") + 1, begin - (before.rfind("\n") + 1) + 2 + at, begin)
