"""The commands that learn and answer: what each takes and says of itself."""

from pathlib import Path
from typing import Annotated

import typer

from foretaste.app.cli.dispatch import runs
from foretaste.app.cli.options import (
    DEFAULT_HOME,
    AsOf,
    Columns,
    Count,
    Effort,
    Fresh,
    Home,
    Json,
    Kind,
    Protocol,
    Publish,
    Seed,
    UsualCount,
)
from foretaste.app.cli.program import app, models


@app.command()
@runs("demo")
def demo(
    *,
    home: Annotated[
        Path | None, typer.Option("--home", help="Where to keep it; by default in the cache folder.")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", min=0, max=65535, help="0 takes a free port.")] = 8000,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", envvar="OPEN", help="Open the storefront in the browser.")
    ] = True,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin again, without what an earlier demo learnt.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show it: 100,000 film ratings, a trained model, a storefront that learns from every click."""


@app.command()
@runs("ingest")
def ingest(
    kind: Annotated[Kind, typer.Argument(help="What the file holds.")],
    file: Annotated[
        str,
        typer.Argument(help="CSV, Parquet or JSON Lines; a Delta table: its folder, or s3://bucket/folder."),
    ],
    *,
    home: Home = DEFAULT_HOME,
    columns: Columns,
    event_type: Annotated[
        str | None, typer.Option("--type", help="The type of events that have none, as purchase.")
    ] = None,
    timestamp_format: Annotated[
        str | None, typer.Option(help="How dates are written, as %d/%m/%Y %H:%M, where it is not ISO 8601.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of a CSV; recognized by default.")] = None,
    encoding: Annotated[
        str, typer.Option(help="Of a CSV; one that begins with a byte-order mark needs none.")
    ] = "utf-8-sig",
    as_of: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Of a Delta table: as it was, by version or moment (ISO 8601)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take in a file of events, items or users. Bad rows are set aside in FILE.rejected.jsonl."""


@app.command()
@runs("train")
def train(
    *,
    home: Home = DEFAULT_HOME,
    seed: Seed = None,
    effort: Effort = None,
    publish: Publish = True,
    fresh: Fresh = False,
    as_json: Json = False,
) -> None:
    """Learn from the log, evaluate, and serve the new model if it is good enough.

    Works beside a running service, which takes the new model without a restart.
    """


@app.command()
@runs("tune")
def tune(
    *,
    home: Home = DEFAULT_HOME,
    minutes: Annotated[
        float | None, typer.Option(min=0.0, help="Search for so long. [3, without --trials]")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Try so many; the same log and seed then find the same.")
    ] = None,
    seed: Seed = None,
    effort: Effort = None,
    publish: Publish = True,
    fresh: Fresh = False,
    as_json: Json = False,
) -> None:
    """Search for better hyper-parameters, then train with them and serve if the model is good enough.

    Ctrl-C ends the search and keeps what was found. Later trainings go on from there.
    """


@app.command()
@runs("evaluate")
def evaluate(
    *,
    home: Home = DEFAULT_HOME,
    events: Annotated[
        str | None,
        typer.Option(
            "--events",
            "--train",
            metavar="FILE",
            help="A file of events instead of a home; or movielens-100k, which is fetched.",
        ),
    ] = None,
    test: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Events that judge: all of --events is learnt from.")
    ] = None,
    items: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The items that the events are about.")
    ] = None,
    columns: Columns,
    event_type: Annotated[
        str | None, typer.Option("--type", help="The type of events that have none, as purchase.")
    ] = None,
    protocol: Annotated[
        Protocol,
        typer.Option(
            help="live: replay in time order; sequence: everyone's last item; static: a seeded hold-out."
        ),
    ] = Protocol.LIVE,
    count: Count = 10,
    limit: Annotated[int, typer.Option(min=0, help="Ask at most so many questions; 0: all.")] = 10_000,
    effort: Effort = None,
    groups: Annotated[
        str | None,
        typer.Option(metavar="ATTRIBUTE", help="Count exposure by this attribute of items, or category."),
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers/--no-peers", help="Judge other makers' recommenders that are installed.")
    ] = True,
    curve: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw what variety costs: curve.png and curve.html.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the report as HTML, Markdown, JSON and CSV.")
    ] = None,
    seed: Seed = None,
    as_json: Json = False,
) -> None:
    """Measure how well the next item is foretold, beside peers, popularity and chance, with intervals.

    Learns as train does, on what does not judge; nothing is stored or published.
    """


@app.command()
@runs("recommend")
def recommend(
    user_id: Annotated[str, typer.Argument(help="The person; an unknown one is answered too.")],
    *,
    home: Home = DEFAULT_HOME,
    count: UsualCount = None,
    scenario: Annotated[str, typer.Option(help="The recipe; see foretaste scenarios list.")] = "home",
    items: Annotated[
        list[str],
        typer.Option(
            "--item",
            default_factory=list,
            show_default=False,
            help="An item that the scenario starts from; may be repeated, as for a cart.",
        ),
    ],
    explain: Annotated[bool, typer.Option("--explain", help="Say which past items speak for each.")] = False,
    categories: Annotated[
        list[str],
        typer.Option(
            "--category",
            default_factory=list,
            show_default=False,
            help="Only items of this category; may be repeated.",
        ),
    ],
    exclude: Annotated[
        list[str],
        typer.Option(default_factory=list, show_default=False, help="Not this item; may be repeated."),
    ],
    filters: Annotated[
        list[str],
        typer.Option(
            "--filter",
            metavar="CONDITION",
            default_factory=list,
            show_default=False,
            help="Only what matches, as 'price < 20 and not purchased within 30d'; may be repeated.",
        ),
    ],
    boosts: Annotated[
        list[str],
        typer.Option(
            "--boost",
            default_factory=list,
            show_default=False,
            help="More of this, as 'on_sale : 1.5' or '0.2 * recency(published, 7d)'; may be repeated.",
        ),
    ],
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Say what to show to one person now (or what would have been shown then), and why."""


@app.command()
@runs("similar")
def similar(
    item_id: Annotated[str, typer.Argument(help="The item to start from.")],
    *,
    home: Home = DEFAULT_HOME,
    count: Count = 10,
    as_json: Json = False,
) -> None:
    """Say which items are like one item."""


@app.command()
@runs("batch")
def batch(
    out: Annotated[Path, typer.Argument(help="Where to write: .parquet, .csv or .jsonl.")],
    *,
    home: Home = DEFAULT_HOME,
    count: UsualCount = None,
    users: Annotated[
        Path | None,
        typer.Option(
            "--users",
            metavar="FILE",
            help="Only these people: ids in the lines of a .txt file, or a table with a column user_id.",
        ),
    ] = None,
    scenario: Annotated[str, typer.Option(help="The recipe.")] = "home",
    model: Annotated[str | None, typer.Option(help="One model alone, as in GET /models.")] = None,
    filters: Annotated[
        list[str],
        typer.Option(
            "--filter",
            metavar="CONDITION",
            default_factory=list,
            show_default=False,
            help="Only what matches; may be repeated.",
        ),
    ],
    boosts: Annotated[
        list[str],
        typer.Option(
            "--boost",
            metavar="EXPRESSION",
            default_factory=list,
            show_default=False,
            help="More of this; may be repeated.",
        ),
    ],
    anew: Annotated[bool, typer.Option("--anew", help="Begin again where a batch was cut off.")] = False,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="How many processes answer. [one for each core, if it is worth it]"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write recommendations for every user to a file. A user who fails is counted, not the end.

    Run it again where it was cut off: it goes on, with answers as of the moment that it began.
    """


@app.command()
@runs("serve")
def serve(
    *,
    home: Home = DEFAULT_HOME,
    host: Annotated[
        str | None, typer.Option(envvar="FORETASTE_HOST", help="The address to listen on. [127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(envvar="FORETASTE_PORT", min=0, max=65535, help="0 takes a free port. [8000]"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            envvar="FORETASTE_WORKERS", min=1, max=62, help="So many processes answer, at one port. [1]"
        ),
    ] = None,
    worker: Annotated[
        bool | None,
        typer.Option(
            "--worker/--no-worker",
            help="Run a worker for Kafka in this process too; by default where no other process could, "
            "as a home of files has one process.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Answer over HTTP: recommendations, events, catalog, storefront."""


@models.command("list")
@runs("models", action="list", version=None)
def models_list(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List the versions, oldest first, and which of them serves."""


@models.command("show")
@runs("models", action="show")
def models_show(
    version: Annotated[str, typer.Argument(help="A version, or an alias.")] = "champion",
    *,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Show what a version is: its sources, its metrics, what tuning chose and all that it tried."""


@models.command("promote")
@runs("models", action="promote")
def models_promote(
    version: Annotated[str, typer.Argument(help="The version to serve.")],
    *,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Let a version serve; a running service takes it within seconds."""


@models.command("rollback")
@runs("models", action="rollback", version=None)
def models_rollback(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Return to the version that served before."""
