"""Options that several commands have."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_HOME = Path(".foretaste")

Home = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="FORETASTE_HOME",
        help="The directory that holds all state: log, catalog, models.",
        file_okay=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for scripts.")]
Count = Annotated[int, typer.Option("-k", "--count", min=1, max=1000, help="How many items.")]
UsualCount = Annotated[
    int | None,
    typer.Option(
        "-k", "--count", min=1, max=1000, help="How many items. [as many as the scenario says, 10 mostly]"
    ),
]
Seed = Annotated[int | None, typer.Option(min=0, help="The seed; the same seed gives the same model.")]

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="TIME", help="As of this moment: ISO 8601 (2024-03-01T12:30:00Z) or seconds."
    ),
]


class EffortName(StrEnum):
    """How long training may take."""

    QUICK = "quick"
    USUAL = "usual"
    BEST = "best"


Columns = Annotated[
    list[str],
    typer.Option(
        "--column",
        default_factory=list,
        show_default=False,
        metavar="FIELD=NAME",
        help="Which column of the file is which field, as user_id=customer; may be repeated.",
    ),
]

Effort = Annotated[
    EffortName | None,
    typer.Option(
        envvar="FORETASTE_EFFORT",
        help="How long it may take: quick (seconds), usual (a minute or two), best (minutes). [usual]",
    ),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Begin from the usual settings, not from what tuning chose before.")
]
Publish = Annotated[
    bool, typer.Option("--publish/--no-publish", help="Serve the model if it passes the quality gate.")
]


class Kind(StrEnum):
    """What a file holds."""

    EVENTS = "events"
    ITEMS = "items"
    USERS = "users"


class Protocol(StrEnum):
    """How to evaluate."""

    LIVE = "live"
    SEQUENCE = "sequence"
    STATIC = "static"
