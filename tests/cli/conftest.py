"""The command line as a person meets it: run through its entry point."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from foretaste.app import datasets
from foretaste.app.cli import app


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def foretaste(tmp_path, monkeypatch):
    """Run `foretaste ARGUMENTS` in a folder of its own, without settings of the machine."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORETASTE_HOME", "FORETASTE_PORT", "FORETASTE_HOST", "PORT", "OPEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "110")

    def run(*arguments: str | Path) -> Outcome:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture(scope="session")
def shop_files(tmp_path_factory):
    """Events and items of a made-up shop as files."""
    folder = tmp_path_factory.mktemp("shop")
    events = datasets.synthetic(n_users=40, n_items=30, n_events=1_500, seed=3).events
    events.to_polars().write_parquet(folder / "log.parquet")
    lines = [f"{item.item_id},{item.title},{item.categories[0]}" for item in events.items]
    (folder / "items.csv").write_text("\n".join(["item_id,title,category", *lines]))
    return folder
