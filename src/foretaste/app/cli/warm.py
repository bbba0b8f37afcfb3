"""`foretaste warm`: answers of active people into the cache."""

from pathlib import Path

from rich.text import Text

from foretaste.app.caching import Warmed, active_users, warm_cache
from foretaste.app.cli.console import Screen
from foretaste.app.wiring import open_home


def run(*, home: Path, days: float, most: int | None, count: int, scenario: str, as_json: bool) -> None:
    """Ask for everyone who was active, and keep the answers."""
    screen = Screen(as_json=as_json)
    with open_home(home, read_only=True) as opened:
        people = active_users(opened, days=days, most=most)
        with screen.progress("warming the cache", len(people)) as advance:
            warmed = warm_cache(opened, people, k=count, scenario=scenario, advance=advance)
    screen.result(warmed, _text(warmed))


def _text(warmed: Warmed) -> Text:
    parts = [f"{warmed.made:,} answers made", f"{warmed.kept:,} were there"]
    if warmed.unkept:
        parts.append(f"{warmed.unkept:,} of those made were not kept")
    if warmed.failed:
        parts.append(f"{warmed.failed:,} failed")
    lasting = f"they last for {warmed.last_seconds:g} s at most (item_state_seconds, answer_cache_seconds)"
    return Text(f"{warmed.people:,} people: {', '.join(parts)}; {lasting}")
