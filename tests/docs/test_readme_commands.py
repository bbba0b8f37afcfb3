"""The README's two commands do what it says: `make demo` here, `make test` by running this."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import foretaste as ft
from foretaste.app.datasets.cache import cache_directory

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240.0


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:
        body = response.read()
    return json.loads(body) if "json" in response.headers["content-type"] else body.decode()


def tell(address: str, event: dict[str, Any]) -> None:
    request = urllib.request.Request(
        f"{address}/events", json.dumps(event).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.status == 202


def asked_as_in_the_course(address: str, person: str) -> list[str]:
    return [item["item_id"] for item in get(f"{address}/recommend?user_id={person}&limit=10")["items"]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run `make demo` as printed, with nothing learnt before; yield its address."""
    ft.datasets.movielens_100k()
    cache = tmp_path_factory.mktemp("cache")
    for file in cache_directory().glob("*.parquet"):
        shutil.copy(file, cache)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    output = cache / "output"
    with output.open("w") as written:
        process = subprocess.Popen(
            ["make", "demo", "OPEN=0", f"PORT={port}"],
            cwd=ROOT,
            env={**os.environ, "FORETASTE_CACHE": str(cache)},
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            try:
                get(f"{address}/health/ready")
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def test_the_demo_answers_personally_with_reasons(demo: str) -> None:
    answer = get(f"{demo}/recommend/196?explain=true")
    assert answer["source"] == "personalized"
    assert len(answer["items"]) == 10
    assert all(item["title"] and item["reason"] for item in answer["items"])


def test_the_demo_changes_with_a_click(demo: str) -> None:
    before = [item["item_id"] for item in get(f"{demo}/recommend/196")["items"]]
    tell(demo, {"user_id": "196", "item_id": before[0], "type": "rating", "value": 5})
    after = [item["item_id"] for item in get(f"{demo}/recommend/196")["items"]]
    assert before[0] not in after
    assert after != before[1:] + after[-1:]


def test_an_event_changes_nearly_every_answer_and_nearly_everybody_has_a_list_of_their_own(demo: str) -> None:
    rng = random.Random(7)
    people = [str(number) for number in rng.sample(range(1, 944), 150)]
    changed, lists = 0, set()
    for person in people:
        before = asked_as_in_the_course(demo, person)
        taken = rng.choice(before)
        tell(demo, {"user_id": person, "item_id": taken, "event_type": "click"})
        left = [item for item in before if item != taken]
        after = [item for item in asked_as_in_the_course(demo, person) if item != taken]
        changed += left != after[: len(left)]
        lists.add(tuple(before))
    assert changed >= 0.95 * len(people)
    assert len(lists) >= 0.85 * len(people)


def test_all_cold_people_are_served(demo: str) -> None:
    assert all(len(asked_as_in_the_course(demo, f"nobody-{number}")) == 10 for number in range(50))


def test_the_demo_has_a_storefront(demo: str) -> None:
    assert "<title>" in get(f"{demo}/")
