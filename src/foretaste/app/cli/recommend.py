"""`foretaste recommend`: one person's slate."""

from collections.abc import Sequence
from pathlib import Path

from foretaste.app.cli.console import Screen
from foretaste.app.cli.moments import moment_of
from foretaste.app.recommender import Recommender


def run(
    *,
    user_id: str,
    home: Path,
    count: int,
    explain: bool,
    categories: Sequence[str],
    exclude: Sequence[str],
    as_of: str | None,
    as_json: bool,
) -> None:
    """Write the slate as a table or as JSON."""
    screen = Screen(as_json=as_json)
    filters = {"category": tuple(categories)} if categories else {}
    with Recommender.open(home, read_only=True) as rec:
        if as_of is None:
            slate = rec.recommend(user_id, k=count, explain=explain, filters=filters, exclude_ids=exclude)
        else:
            then = rec.as_of(moment_of(as_of, "as_of"))
            slate = then.recommend(user_id, k=count, explain=explain, filters=filters, exclude_ids=exclude)
    screen.result(slate, slate)
