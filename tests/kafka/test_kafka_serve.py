"""`foretaste serve` with Kafka: events come from it, go to it, and a home of files needs no other process."""

import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import pytest
from kafka_shop import SECONDS, Shop, numbered

from foretaste.testing.waiting import until


@pytest.fixture
def shop(broker, tmp_path):
    return Shop(broker.url, tmp_path)


@contextmanager
def serving(shop, **settings):
    """Run the service; gives its address."""
    told = {f"FORETASTE_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "foretaste.app.cli", "serve", "--json", "--port", "0"]
    with subprocess.Popen(
        command, env={**shop.environment, **told}, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield json.loads(process.stderr.readline())["address"]
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()


def post(address, value):
    request = urllib.request.Request(address, json.dumps(value).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return answer.status, json.loads(answer.read())


def processed(address):
    """Return how many events the process brought into its log."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=SECONDS) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("events_processed_total"))


def test_a_purchase_by_index_goes_through_kafka_into_the_log(shop):
    shop.send([numbered(0)])
    with serving(shop, publish_events="stream") as address:
        until(lambda: processed(address) == 1)
        status, receipt = post(f"{address}/events/purchase", {"user_idx": 0, "item_idx": 0})
        assert (status, receipt["accepted"]) == (202, 1)
        assert receipt["events"][0].get("seq") is None
        (event_id,) = [each["event_id"] for each in receipt["events"]]
        published = shop.read(shop.topics.log, 2)
    by_id = {dict(message.headers)["event_id"].decode(): json.loads(message.value) for message in published}
    purchase = by_id[event_id]
    assert (purchase["user_id"], purchase["item_id"], purchase["type"]) == (
        numbered(0)["user_id"],
        numbered(0)["item_id"],
        "purchase",
    )


def test_events_of_the_api_are_in_the_log_first_and_published_then(shop):
    with serving(shop) as address:
        status, receipt = post(f"{address}/events", [numbered(1), numbered(2)])
        assert (status, receipt["accepted"], receipt["state_seq"]) == (202, 2, 2)
        published = shop.read(shop.topics.log, 2)
    seqs = {int(dict(message.headers)["seq"]): json.loads(message.value)["item_id"] for message in published}
    assert seqs == {1: "item-1", 2: "item-2"}
