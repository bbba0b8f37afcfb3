"""The commands: what each takes and says of itself."""

from pathlib import Path
from typing import Annotated

import typer

from foretaste.app.cli.dispatch import dispatch
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
)

app = typer.Typer(
    name="foretaste",
    help="Real-time recommendations that learn from the very last click, and say why.",
    epilog="Begin with: foretaste demo. Exit codes: 0 done, 2 invalid input, 3 not found, "
    "4 not possible now, 5 damaged data, 6 refused by the quality gate, 7 an optional part is missing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models = typer.Typer(help="List the trained models, choose which one serves.", no_args_is_help=True)
app.add_typer(models, name="models")


@app.command()
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
    dispatch("demo", home=home, host=host, port=port, open_browser=open_browser, fresh=fresh, as_json=as_json)


@app.command()
def ingest(
    kind: Annotated[Kind, typer.Argument(help="What the file holds.")],
    file: Annotated[
        str,
        typer.Argument(help="CSV, Parquet or JSON Lines; a Delta table: its folder, or s3://bucket/folder."),
    ],
    *,
    home: Home = DEFAULT_HOME,
    column: Columns = None,
    event_type: Annotated[
        str | None, typer.Option("--type", help="The type of events that have none, as purchase.")
    ] = None,
    timestamp_format: Annotated[
        str | None, typer.Option(help="How dates are written, as %d/%m/%Y %H:%M; ISO 8601 is understood.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of a CSV; recognized by default.")] = None,
    encoding: Annotated[str, typer.Option(help="Of a CSV.")] = "utf-8-sig",
    as_of: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Of a Delta table: as it was, by version or moment (ISO 8601)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take in a file of events, items or users. Bad rows are set aside in FILE.rejected.jsonl."""
    dispatch(
        "ingest",
        kind=kind,
        file=file,
        home=home,
        columns=column or [],
        event_type=event_type,
        timestamp_format=timestamp_format,
        delimiter=delimiter,
        encoding=encoding,
        as_of=as_of,
        as_json=as_json,
    )


@app.command()
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
    dispatch("train", home=home, seed=seed, effort=effort, publish=publish, fresh=fresh, as_json=as_json)


@app.command()
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
    dispatch(
        "tune",
        home=home,
        minutes=minutes,
        trials=trials,
        seed=seed,
        effort=effort,
        publish=publish,
        fresh=fresh,
        as_json=as_json,
    )


@app.command()
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
    column: Columns = None,
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
    dispatch(
        "evaluate",
        home=home,
        events=events,
        test=test,
        items=items,
        columns=column or [],
        event_type=event_type,
        protocol=protocol,
        count=count,
        limit=limit,
        effort=effort,
        groups=groups,
        peers=peers,
        curve=curve,
        out=out,
        seed=seed,
        as_json=as_json,
    )


@app.command()
def recommend(
    user_id: Annotated[str, typer.Argument(help="The person; an unknown one is answered too.")],
    *,
    home: Home = DEFAULT_HOME,
    count: Count = 10,
    explain: Annotated[bool, typer.Option("--explain", help="Say which past items speak for each.")] = False,
    category: Annotated[
        list[str] | None, typer.Option(help="Only items of this category; may be repeated.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Not this item; may be repeated.")] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Say what to show to one person now (or what would have been shown then), and why."""
    dispatch(
        "recommend",
        user_id=user_id,
        home=home,
        count=count,
        explain=explain,
        categories=category or [],
        exclude=exclude or [],
        as_of=as_of,
        as_json=as_json,
    )


@app.command()
def similar(
    item_id: Annotated[str, typer.Argument(help="The item to start from.")],
    *,
    home: Home = DEFAULT_HOME,
    count: Count = 10,
    as_json: Json = False,
) -> None:
    """Say which items are like one item."""
    dispatch("similar", item_id=item_id, home=home, count=count, as_json=as_json)


@app.command()
def batch(
    out: Annotated[Path, typer.Argument(help="Where to write: .parquet, .csv or .jsonl.")],
    *,
    home: Home = DEFAULT_HOME,
    count: Count = 10,
    as_json: Json = False,
) -> None:
    """Write recommendations for every user to a file. A user who fails is counted, not the end."""
    dispatch("batch", out=out, home=home, count=count, as_json=as_json)


@app.command()
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
    dispatch("serve", home=home, host=host, port=port, worker=worker, as_json=as_json)


@app.command()
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
    dispatch(
        "archive",
        target=target,
        home=home,
        watch=watch,
        patience=patience,
        compact=compact,
        keep_days=keep_days,
        as_json=as_json,
    )


@app.command()
def worker(
    *,
    home: Home = DEFAULT_HOME,
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="End when all that is in the stream was taken in.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take in events from Kafka and publish the log there; several workers share the work."""
    dispatch("worker", home=home, until_empty=until_empty, as_json=as_json)


@app.command()
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
    dispatch(
        "simulate",
        target=target,
        users=users,
        items=items,
        rate=rate,
        duration=duration,
        drift=drift,
        season=season,
        new_items=new_items,
        bots=bots,
        duplicates=duplicates,
        late=late,
        seed=seed,
        start=start,
        live=live,
        batch=batch,
        concurrency=concurrency,
        judge=judge,
        as_json=as_json,
    )


@models.command("list")
def models_list(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List the versions, oldest first, and which of them serves."""
    dispatch("models", action="list", home=home, version=None, as_json=as_json)


@models.command("show")
def models_show(
    version: Annotated[str, typer.Argument(help="A version, or an alias.")] = "champion",
    *,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Show what a version is: its sources, its metrics, what tuning chose and all that it tried."""
    dispatch("models", action="show", home=home, version=version, as_json=as_json)


@models.command("promote")
def models_promote(
    version: Annotated[str, typer.Argument(help="The version to serve.")],
    *,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Let a version serve; a running service takes it within seconds."""
    dispatch("models", action="promote", home=home, version=version, as_json=as_json)


@models.command("rollback")
def models_rollback(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Return to the version that served before."""
    dispatch("models", action="rollback", home=home, version=None, as_json=as_json)


@app.command()
def doctor(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Say in plain words what is used, what is missing and how to fix it."""
    dispatch("doctor", home=home, as_json=as_json)


@app.command()
def replay(*, home: Home = DEFAULT_HOME, as_of: AsOf = None, as_json: Json = False) -> None:
    """Fold the log anew and compare with the state that is served."""
    dispatch("replay", home=home, as_of=as_of, as_json=as_json)


@app.command("export")
def export_everything(
    folder: Annotated[Path, typer.Argument(help="A new folder to write to.")],
    *,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Write all that the home holds to files: to keep, or to move to other stores."""
    dispatch("moving", action="export", folder=folder, home=home, as_json=as_json)


@app.command("import")
def import_everything(
    folder: Annotated[Path, typer.Argument(help="A folder that `foretaste export` wrote.")],
    *,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Take an export into an empty home, whatever its stores are. Run it again if it was cut off."""
    dispatch("moving", action="import", folder=folder, home=home, as_json=as_json)


@app.command()
def warm(
    *,
    home: Home = DEFAULT_HOME,
    days: Annotated[
        float, typer.Option(min=0.0, help="People who did something in so many days before the last event.")
    ] = 30.0,
    most: Annotated[int | None, typer.Option(min=1, help="Not more people than this.")] = None,
    count: Count = 10,
    scenario: Annotated[str, typer.Option(help="The scenario to ask for.")] = "home",
    as_json: Json = False,
) -> None:
    """Make the answers of active people and keep them in the cache, before they ask."""
    dispatch("warm", home=home, days=days, most=most, count=count, scenario=scenario, as_json=as_json)


@app.command()
def migrate(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Bring the tables to what this release needs; whoever serves does so too when it starts."""
    dispatch("migrate", home=home, as_json=as_json)
