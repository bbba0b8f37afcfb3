"""`foretaste similar`: what is like one item."""

from pathlib import Path

from foretaste.app.cli.console import Screen
from foretaste.app.recommender import Recommender


def run(*, item_id: str, home: Path, count: int, as_json: bool) -> None:
    """Write the slate as a table or as JSON."""
    screen = Screen(as_json=as_json)
    with Recommender.open(home, read_only=True) as rec:
        slate = rec.similar(item_id, k=count)
    screen.result(slate, slate)
