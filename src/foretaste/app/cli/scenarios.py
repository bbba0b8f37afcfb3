"""`foretaste scenarios`: the recipes that answer; a file of them checked, and tried on past requests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from foretaste.adapters.files.scenario_file import parse_scenarios, read_scenario_file, scenario_text
from foretaste.app.cli.console import Screen
from foretaste.app.home import Home
from foretaste.app.previewing import Preview, PreviewedItem, previewed
from foretaste.app.wiring import home_in_memory, open_home
from foretaste.domain.errors import InvalidInputError
from foretaste.pipeline.recipes import recipe_of
from foretaste.pipeline.scenario import Scenario, find_scenario

Action = Literal["list", "show", "check", "preview"]


def run(
    *,
    action: Action,
    home: Path,
    name: str | None = None,
    file: Path | None = None,
    requests: int = 1_000,
    examples: int = 3,
    of: str | None = None,
    as_json: bool,
) -> None:
    """List or show scenarios, check a file of them, or preview what a file changes."""
    screen = Screen(as_json=as_json)
    if action == "check" and not home.is_dir():
        with home_in_memory() as opened:
            _check(screen, opened, file or Path())
        return
    with open_home(home, read_only=True) as opened:
        if action == "check":
            _check(screen, opened, file or Path())
        elif action == "preview":
            _preview(screen, opened, file or Path(), requests=requests, examples=examples, of=of)
        elif name is None:
            _list(screen, opened)
        else:
            found = find_scenario(name, opened.scenarios)
            screen.result(
                {"name": name, "version": found.version, "recipe": recipe_of(found)},
                Text(scenario_text(found)),
            )


def _list(screen: Screen, home: Home) -> None:
    shelf = home.scenario_book.shelf
    wrong = home.scenario_book.complaint()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("scenario", "from", "starts from", "k", "else", "version"):
        table.add_column(title, overflow="fold", no_wrap=title in {"scenario", "version"})
    for name, one in sorted(shelf.scenarios.items()):
        starts = "items" if one.needs_items else one.history
        row = (name, shelf.origins[name], starts, str(one.k), ", ".join(one.fallback), one.version)
        table.add_row(*row)
    listed = [
        {"name": name, "origin": shelf.origins[name], "version": one.version}
        for name, one in sorted(shelf.scenarios.items())
    ]
    readable: RenderableType = table if wrong is None else Group(table, Text(f"wrong: {wrong}", style="red"))
    screen.result({"scenarios": listed, "wrong": wrong}, readable)


def _read(home: Home, file: Path) -> Mapping[str, Scenario]:
    book = home.scenario_book
    return parse_scenarios(read_scenario_file(file), str(file), book.shipped, book.check_file)


def _check(screen: Screen, home: Home, file: Path) -> None:
    found = _read(home, file)
    names = ", ".join(found) or "no scenario"
    known = "" if home.catalog_columns.n_items else "; there are no items, so attributes were not checked"
    screen.result({"file": str(file), "scenarios": list(found)}, Text(f"{file} is good: {names}{known}"))


def _preview(screen: Screen, home: Home, file: Path, *, requests: int, examples: int, of: str | None) -> None:
    read = _read(home, file)
    changed = [one for one in read.values() if one != home.scenarios.get(one.name)]
    if not changed:
        raise InvalidInputError(f"{file} changes no scenario; there is nothing to preview", field="file")
    previews = [
        previewed(home, one, of=of, requests=requests, examples=examples, beside=read) for one in changed
    ]
    screen.result(previews, Group(*(_shown(preview) for preview in previews)))


def _shown(preview: Preview) -> Group:
    counted = preview.requests - preview.failed
    share = preview.changed / counted if counted else 0.0
    now, then = preview.milliseconds_before.median, preview.milliseconds_after.median
    lines = [
        f"{preview.scenario} beside {preview.compared_with}, on the latest {preview.requests:,} requests:",
        f"  {preview.changed:,} lists change ({share:.0%})",
        f"  {preview.overlap:.0%} of items stay, and move {preview.rank_shift:.1f} places",
        f"  empty: {preview.empty_before:,} before, {preview.empty_after:,} after",
        f"  median time: {now:.2f} ms, then {then:.2f} ms",
    ]
    parts: list[RenderableType] = [Text("\n".join(lines))]
    for example in preview.examples:
        whom = "everyone" if example.user_id is None else example.user_id
        start = f", from {', '.join(example.item_ids)}" if example.item_ids else ""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=f"{whom}{start}", title_justify="left")
        for heading in ("", "now", "then", "was"):
            table.add_column(heading)
        for place in range(max(len(example.before), len(example.after))):
            before, after = _at(example.before, place), _at(example.after, place)
            was = "" if after is None else "new" if after.was is None else str(after.was)
            table.add_row(str(place + 1), _name(before), _name(after), was)
        parts.append(table)
    return Group(*parts)


def _at(items: tuple[PreviewedItem, ...], place: int) -> PreviewedItem | None:
    return items[place] if place < len(items) else None


def _name(item: PreviewedItem | None) -> str:
    return "" if item is None else item.title or item.item_id
