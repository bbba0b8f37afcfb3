import json
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from foretaste.app.cli import app


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def foretaste(tmp_path, monkeypatch):
    """Run `foretaste ARGUMENTS` in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Outcome:
        result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
        return Outcome(result.exit_code, result.stdout)

    return run
