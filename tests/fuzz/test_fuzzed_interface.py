"""Requests made up from the interface's own description, right ones and wrong ones, by schemathesis.

None is answered with a failure of the service, and every answer has a status, a media type and a schema that
the description declares. It runs against a real server with a home of files and a trained model.
"""

import json
import logging
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import foretaste as ft
from foretaste.testing.served import served_home

CASES = int(os.environ.get("FORETASTE_FUZZ_CASES", "50000"))
FEW = 400
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A service with a model, which is asked and changed as it comes."""
    events = ft.datasets.synthetic(n_users=30, n_items=20, n_events=800, seed=1).events
    home = tmp_path_factory.mktemp("fuzzed") / "home"
    with ft.Recommender.train(events, home=home) as rec, served_home(rec.home) as found:
        yield found


def operations(address: str) -> int:
    """Return how many operations the service describes: schemathesis takes a number of cases for each."""
    with urllib.request.urlopen(f"{address}/openapi.json", timeout=60) as answer:
        return sum(len(path) for path in json.loads(answer.read())["paths"].values())


def fuzz(address: str, folder: Path, cases: int, phases: str, seed: int = 1) -> int:
    """Send about so many made-up requests; return how many. Fails with what schemathesis found.

    Some operations can be asked in fewer ways than others: there may be fewer requests than asked for.
    """
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json"),
        *("--max-examples", str(max(1, cases // operations(address))), "--phases", phases, "--mode", "all"),
        *("--checks", CHECKS, "--seed", str(seed), "--no-color", "--suppress-health-check", "all"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    made = re.search(r"([\d,]+) generated", run.stdout)
    assert made, run.stdout[-2000:]
    return int(made[1].replace(",", ""))


def test_made_up_requests_are_answered_as_described(address, tmp_path):
    assert fuzz(address, tmp_path, FEW, "fuzzing") >= FEW / 2


@pytest.mark.slow
def test_tens_of_thousands_of_made_up_requests_are_answered_as_described(address, tmp_path):
    made, seed = 0, 1
    while made < CASES:
        made += fuzz(address, tmp_path, CASES - made, "examples,coverage,fuzzing", seed)
        seed += 1
    logging.getLogger(__name__).info("%d requests", made)
