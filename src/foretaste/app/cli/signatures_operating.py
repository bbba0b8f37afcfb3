"""The commands for those who operate it: what each takes and says of itself."""

from pathlib import Path
from typing import Annotated

import typer

from foretaste.app.cli.dispatch import runs
from foretaste.app.cli.options import (
    DEFAULT_HOME,
    AsOf,
    Count,
    Home,
    Json,
)
from foretaste.app.cli.program import app, imports


@app.command()
@runs("archive")
def archive(
    target: Annotated[
        str | None,
        typer.Argument(
            envvar="FORETASTE_ARCHIVE_URL",
            help="The Delta table: a folder, delta:///folder, or s3://bucket/folder; made if absent.",
        ),
    ] = None,
    *,
    home: Home = DEFAULT_HOME,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with what comes in, until stopped; may run beside serve.")
    ] = False,
    patience: Annotated[
        float, typer.Option(min=0.0, help="With --watch: let few events wait so many seconds for company.")
    ] = 60.0,
    compact: Annotated[
        bool, typer.Option("--compact", help="Join small files; --watch does it now and then by itself.")
    ] = False,
    keep_days: Annotated[
        float | None,
        typer.Option(min=0.0, help="Remove files that no version of the last so many days needs."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy all events, each exactly once, into a Delta table that training and Spark read."""


@app.command()
@runs("worker")
def worker(
    *,
    home: Home = DEFAULT_HOME,
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="End when all that is in the stream was taken in.")
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Tell /metrics and /health/ready here; 0 takes a free port."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take in events from Kafka and publish the log there; several workers share the work."""


@app.command()
@runs("simulate")
def simulate(
    target: Annotated[
        str,
        typer.Argument(
            help="http://host:port of a service, kafka://host:port, a .jsonl file, or a home's directory."
        ),
    ],
    *,
    users: Annotated[int, typer.Option(min=1, help="How many people there are.")] = 200,
    items: Annotated[int, typer.Option(min=2, help="How many items there are.")] = 300,
    rate: Annotated[float, typer.Option(help="Events a second, on the average.")] = 0.1,
    duration: Annotated[float, typer.Option(help="Seconds of the made-up world. [a day]")] = 86_400.0,
    drift: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of people whose taste changes within a day.")
    ] = 0.05,
    season: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="How much hours and weekdays matter.")
    ] = 0.6,
    new_items: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of items that arrive on the way.")
    ] = 0.1,
    bots: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of events that bots send.")] = 0.02,
    duplicates: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of events that are delivered twice.")
    ] = 0.01,
    late: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of events that arrive minutes late.")
    ] = 0.02,
    seed: Annotated[int, typer.Option(min=0, help="Same seed and start, same events.")] = 0,
    start: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="When it begins (ISO 8601). [so that it ends now]")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Begin now and send each event when it is due.")
    ] = False,
    batch: Annotated[int, typer.Option(min=1, max=10_000, help="Events in a request.")] = 500,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Requests at a time, over HTTP.")] = 4,
    judge: Annotated[
        int,
        typer.Option(min=0, help="In the end ask for so many people's slates, and say how good they are."),
    ] = 0,
    as_json: Json = False,
) -> None:
    """Make believable traffic with known right answers: sessions, seasons, drift, bots, duplicates."""


@app.command()
@runs("doctor")
def doctor(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Say in plain words what is used, what is missing and how to fix it."""


@app.command()
@runs("replay")
def replay(*, home: Home = DEFAULT_HOME, as_of: AsOf = None, as_json: Json = False) -> None:
    """Fold the log anew and compare with the state that is served."""


@app.command("export")
@runs("moving", action="export")
def export_everything(
    folder: Annotated[Path, typer.Argument(help="A new folder to write to.")],
    *,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Write all that the home holds to files: to keep, or to move to other stores."""


@imports.command("folder")
@runs("moving", action="import")
def import_everything(
    folder: Annotated[Path, typer.Argument(help="A folder that `foretaste export` wrote.")],
    *,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Take an export into an empty home, whatever its stores are. Run it again if it was cut off."""


@imports.command("gorse")
@runs("moving_gorse")
def import_gorse(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder with users, items and feedback as .jsonl or .csv, or http://host:port of a Gorse."
        ),
    ],
    *,
    home: Home = DEFAULT_HOME,
    api_key: Annotated[
        str, typer.Option(envvar="GORSE_API_KEY", help="What Gorse's setting server.api_key says.")
    ] = "",
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="THERE=HERE",
            help="What a feedback type is here, as star=like; star= leaves it out; may be repeated. "
            "[read=view, star=like, ...]",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take over items, people and feedback from Gorse. To run it again takes what is new."""


@app.command()
@runs("warm")
def warm(
    *,
    home: Home = DEFAULT_HOME,
    days: Annotated[
        float, typer.Option(min=0.0, help="People who did something in so many days before the last event.")
    ] = 30.0,
    most: Annotated[int | None, typer.Option(min=1, help="Not more people than this.")] = None,
    count: Count = 10,
    scenario: Annotated[
        str,
        typer.Option(
            help="What to ask for: with -k 5, home is /api/recommendations, shop /api/recommendations/USER."
        ),
    ] = "home",
    as_json: Json = False,
) -> None:
    """Make the answers of active people and keep them in the cache, before they ask."""


@app.command()
@runs("migrate")
def migrate(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Bring the tables to what this release needs; whoever serves does so too when it starts."""
