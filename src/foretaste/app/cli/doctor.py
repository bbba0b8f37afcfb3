"""`foretaste doctor`: what is used, what is missing, how to fix it."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import typer
from rich.text import Text

from foretaste.adapters.files.timestamps import as_datetime
from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.app.cli.console import Screen
from foretaste.app.cli.doctor_servers import POSTGRES, server_findings
from foretaste.app.cli.findings import Finding
from foretaste.app.datasets.cache import cache_directory
from foretaste.app.settings import Settings
from foretaste.app.settings_loading import (
    load_settings,
    misplaced_variables,
    unbuilt_variables,
    unknown_variables,
)
from foretaste.app.stores import DATABASE, Stores, models_directory, stores_at
from foretaste.app.wiring import home_registry
from foretaste.domain.check import Level
from foretaste.domain.errors import ForetasteError, InvalidInputError, NotFoundError
from foretaste.domain.extras import EXTRA_OF_MODULE
from foretaste.events.vocabulary import KNOWN_TYPES
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.training.load import load_artifact

MARKS: dict[Level, tuple[str, str]] = {
    "good": ("✓", "green"),
    "note": ("·", "yellow"),
    "problem": ("✗", "red"),
}
LEAST_FREE_BYTES = 1 << 30
PURPOSE_OF_EXTRA = {
    "serve": "the HTTP service",
    "client": "the client of a service",
    "faiss": "approximate search in large catalogs",
    "nmf": "non-negative factorization",
    "neural": "neural models",
    "plots": "the curve of an evaluation",
    "ranker": "the ranker of slates",
    "text": "vectors of a text model",
    "postgres": "PostgreSQL as the store of many processes",
    "redis": "Redis or Valkey",
    "kafka": "streams of Apache Kafka",
    "qdrant": "search of vectors at Qdrant",
    "delta": "the archive as a Delta table",
}


def run(*, home: Path, as_json: bool) -> None:
    """Look at everything; exit with 1 if something is a problem."""
    screen = Screen(as_json=as_json)
    findings = list(_findings(home))
    screen.result({"findings": findings}, _text(findings))
    if any(finding.level == "problem" for finding in findings):
        raise typer.Exit(1)


def _findings(home: Path) -> Iterator[Finding]:
    version = importlib.metadata.version("foretaste")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    yield Finding(
        level="good", about="program", words=f"foretaste {version} on {python}, {platform.machine()}"
    )
    yield from _extras()
    try:
        settings = load_settings(home)
    except InvalidInputError as error:
        yield Finding(level="problem", about="settings", words=error.message)
        return
    yield from _settings(settings)
    servers = list(server_findings(settings))
    yield from servers
    yield from _home(home)
    if not settings.database_url or any((each.about, each.level) == (POSTGRES, "good") for each in servers):
        yield from _data(home, settings)
    yield from _models(home)
    cached = (cache_directory() / "ml-100k.ratings.parquet").is_file()
    words = (
        f"kept in {cache_directory()}; the demonstration {'works' if cached else 'needs the network once'}"
    )
    yield Finding(level="good" if cached else "note", about="downloads", words=words)


def _extras() -> Iterator[Finding]:
    for extra, purpose in PURPOSE_OF_EXTRA.items():
        needed = [module for module, found in EXTRA_OF_MODULE.items() if found == extra]
        missing = [module for module in needed if importlib.util.find_spec(module) is None]
        if missing:
            words = f"{purpose} is not installed (missing: {', '.join(missing)})"
            yield Finding(
                level="note",
                about=extra,
                words=words,
                remedy=f"pip install 'foretaste[{extra}]', if you want it",
            )
        else:
            yield Finding(level="good", about=extra, words=f"{purpose} is installed")


def _settings(settings: Settings) -> Iterator[Finding]:
    usual = Settings()
    changed = [
        f"{name}=…"
        if name.endswith("_url") or "://" in str(getattr(settings, name))
        else f"{name}={getattr(settings, name)!r}"
        for name in Settings.__struct_fields__
        if getattr(settings, name) != getattr(usual, name)
    ]
    yield Finding(level="good", about="settings", words=", ".join(changed) or "all as they come")
    for words in unbuilt_variables():
        yield Finding(level="note", about="settings", words=words)
    for name in unknown_variables():
        yield Finding(
            level="note",
            about="settings",
            words=f"{name} is set, but no setting is called so",
            remedy="correct the name; foretaste's settings are in the reference",
        )
    for name in misplaced_variables():
        yield Finding(
            level="note",
            about="settings",
            words=f"{name} is in .env, where it is not heard",
            remedy=f"export {name} to the environment",
        )


def _home(home: Path) -> Iterator[Finding]:
    if not home.is_dir():
        yield Finding(
            level="note",
            about="home",
            words=f"{home.resolve()} does not exist yet",
            remedy="foretaste ingest events FILE creates it; foretaste demo needs none",
        )
        return
    if not os.access(home, os.W_OK):
        yield Finding(
            level="problem", about="home", words=f"{home} cannot be written", remedy=f"chmod u+w {home}"
        )
    free = shutil.disk_usage(home).free
    words = f"{home.resolve()}, {free / (1 << 30):.1f} GB free on its disk"
    low = free < LEAST_FREE_BYTES
    yield Finding(
        level="problem" if low else "good",
        about="home",
        words=words,
        remedy="free disk space" if low else None,
    )


def _data(home: Path, settings: Settings) -> Iterator[Finding]:
    try:
        stores = stores_at(home, settings, MemoryTelemetry(), read_only=True)
    except NotFoundError:
        return
    except ForetasteError as error:
        yield Finding(level="problem", about="log", words=error.message)
        return
    try:
        yield from _log(stores, "PostgreSQL" if settings.database_url else f"SQLite ({DATABASE})")
        yield from _catalog(stores)
    except ForetasteError as error:
        yield Finding(level="problem", about="log", words=error.message)
    finally:
        stores.close()


def _log(stores: Stores, where: str) -> Iterator[Finding]:
    users, items = (len(stores.id_map.names(kind)) for kind in ("user", "item"))
    words = f"{where}: {stores.log.last_seq():,} events, {users:,} users, {items:,} items"
    empty = stores.log.last_seq() == 0
    yield Finding(
        level="note" if empty else "good",
        about="log",
        words=words,
        remedy="foretaste ingest events FILE" if empty else None,
    )
    strange = [name for name in stores.id_map.names("type") if name not in KNOWN_TYPES]
    if strange:
        yield Finding(
            level="note",
            about="event types",
            words=f"{', '.join(strange)}: kept and counted, but without weight",
            remedy=f"if they should count: FORETASTE_WEIGHTS={strange[0]}=1.0",
        )


def _catalog(stores: Stores) -> Iterator[Finding]:
    columns = CatalogColumns.empty().apply(stores.catalog.changes(0))
    present = [item for item in columns.items if item is not None]
    untitled = sum(not item.title for item in present)
    without = len(stores.id_map.names("item")) - len(present)
    words = f"{len(present):,} items, {without:,} more are known from events only, {untitled:,} have no title"
    yield Finding(
        level="good" if present else "note",
        about="catalog",
        words=words,
        remedy=None if present else "foretaste ingest items FILE, for titles, categories and filters",
    )


def _models(home: Path) -> Iterator[Finding]:
    if not models_directory(home, load_settings(home)).is_dir():
        yield Finding(level="note", about="model", words="none is trained yet", remedy="foretaste train")
        return
    try:
        registry = home_registry(home)
        champion = registry.aliases().get("champion")
        if champion is None:
            yield Finding(level="note", about="model", words="none serves yet", remedy="foretaste train")
            return
        load_artifact(registry.path(champion))
        manifest = next(manifest for manifest in registry.versions() if manifest.version == champion)
    except ForetasteError as error:
        yield Finding(
            level="problem", about="model", words=error.message, remedy="foretaste models rollback, or train"
        )
        return
    trained = as_datetime(manifest.created_at).strftime("%Y-%m-%d %H:%M UTC")
    words = f"{champion} serves, trained {trained}, verified; of {', '.join(manifest.models)}"
    yield Finding(level="good", about="model", words=words)


def _text(findings: list[Finding]) -> Text:
    text = Text()
    for finding in findings:
        mark, colour = MARKS[finding.level]
        text.append(f"{mark} ", style=colour)
        text.append(f"{finding.about}: ", style="bold")
        text.append(f"{finding.words}\n")
        if finding.remedy:
            text.append(f"    → {finding.remedy}\n", style="dim")
    text.rstrip()
    return text
