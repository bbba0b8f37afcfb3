"""`foretaste models`: the versions there are, and which of them serves."""

from pathlib import Path
from typing import Any, Literal

import msgspec
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from foretaste.adapters.directory.artifact_directory import read_manifest
from foretaste.adapters.files.timestamps import as_datetime
from foretaste.app.cli.console import Screen
from foretaste.app.trial_table import trial_table
from foretaste.app.wiring import home_registry
from foretaste.domain.artifact import ArtifactManifest

Action = Literal["list", "show", "promote", "rollback"]


def run(*, action: Action, home: Path, version: str | None, as_json: bool) -> None:
    """List, show, promote or roll back."""
    screen = Screen(as_json=as_json)
    registry = home_registry(home)
    if action == "promote" and version is not None:
        registry.promote(version)
        screen.result({"champion": version}, f"{version} serves now")
    elif action == "show" and version is not None:
        manifest = read_manifest(registry.path(version))
        screen.result(manifest, _described(manifest))
    elif action == "rollback":
        before = registry.rollback()
        screen.result({"champion": before}, f"{before} serves again")
    else:
        versions, aliases, damaged = registry.versions(), registry.aliases(), registry.damaged()
        listed = {"models": versions, "aliases": aliases, "damaged": damaged}
        screen.result(listed, _table(versions, aliases))
        for name, reason in damaged.items():
            screen.say(f"{name} is damaged: {reason}; train again")


def _table(versions: list[ArtifactManifest], aliases: dict[str, str]) -> Table | str:
    if not versions:
        return "no model can serve; train one: foretaste train"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("version", "trained (UTC)", "users", "items", "sources", "serves as"):
        table.add_column(name, overflow="fold", no_wrap=name in {"version", "trained (UTC)"})
    for manifest in versions:
        names = [alias for alias, version in aliases.items() if version == manifest.version]
        cells: list[Any] = [
            manifest.version,
            as_datetime(manifest.created_at).strftime("%Y-%m-%d %H:%M"),
            f"{manifest.n_users:,}",
            f"{manifest.n_items:,}",
            str(len(manifest.models)),
            ", ".join(names),
        ]
        table.add_row(*cells)
    return table


def _described(manifest: ArtifactManifest) -> Group:
    """Return a version for reading: every source with its configuration, metrics, trials."""
    trained = as_datetime(manifest.created_at).strftime("%Y-%m-%d %H:%M UTC")
    events = manifest.window.get("events", 0)
    lines = [f"{manifest.version}, trained {trained} from {events:,} events, seed {manifest.seed}"]
    lines += [f"{name} {value:.4f}" for name, value in manifest.metrics.items() if isinstance(value, float)]
    for source, config in manifest.models.items():
        chosen = manifest.tuned.get(source)
        note = f"  tuned: {_json(chosen)}" if chosen else ""
        lines.append(f"{source}: {_json(config)}{note}")
    lines.append(f"{len(manifest.trials)} trials" if manifest.trials else "not tuned")
    return Group(Text("\n".join(lines)), trial_table(manifest.trials, every=True))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
