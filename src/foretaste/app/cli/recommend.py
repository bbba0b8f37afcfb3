"""`foretaste recommend`: one person's slate."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foretaste.app.cli.console import Screen
from foretaste.app.cli.moments import moment_of
from foretaste.app.recommender import Recommender


def run(
    *,
    user_id: str,
    home: Path,
    count: int | None,
    scenario: str,
    items: Sequence[str],
    explain: bool,
    categories: Sequence[str],
    exclude: Sequence[str],
    filters: Sequence[str],
    boosts: Sequence[str],
    as_of: str | None,
    as_json: bool,
) -> None:
    """Write the slate as a table or as JSON."""
    screen = Screen(as_json=as_json)
    asked: dict[str, Any] = {
        "k": count,
        "scenario": scenario,
        "item_ids": items,
        "explain": explain,
        "filters": {"category": tuple(categories)} if categories else {},
        "exclude_ids": exclude,
        "filter": filters,
        "boost": boosts,
    }
    with Recommender.open(home, read_only=True) as rec:
        if as_of is None:
            slate = rec.recommend(user_id, **asked)
        else:
            slate = rec.as_of(moment_of(as_of, "as_of")).recommend(user_id, **asked)
    screen.result(slate, slate)
