"""A simulation through a real Kafka: what `foretaste simulate` sends, a worker takes in once."""

import json
import secrets

import pytest
from typer.testing import CliRunner

import foretaste as ft
from foretaste.adapters.delta.event_archive import DeltaEventArchive
from foretaste.app.cli import app

TRAFFIC = (
    "--users",
    "30",
    "--rate",
    "0.1",
    "--duration",
    "9000",
    "--start",
    "2026-01-01",
    "--duplicates",
    "0.1",
)


@pytest.fixture
def foretaste(broker, tmp_path, monkeypatch):
    """Run commands in a namespace of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORETASTE_NAMESPACE", f"simulate-{secrets.token_hex(4)}")
    monkeypatch.setenv("FORETASTE_KAFKA_URL", broker.url)

    def run(*arguments):
        result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run


def test_what_is_simulated_into_kafka_is_taken_in_and_archived_once(foretaste, broker, tmp_path, monkeypatch):
    archive = tmp_path / "archive"
    monkeypatch.setenv("FORETASTE_ARCHIVE_URL", str(archive))
    sent = foretaste("simulate", broker.url, *TRAFFIC)
    taken = foretaste("worker", "--home", "shop", "--until-empty")
    assert taken == {"messages": sent["deliveries"], "state_seq": sent["events"]}
    with ft.Recommender.open(tmp_path / "shop", read_only=True) as rec:
        log = rec.home.log.events(0, 100_000)
        namespace = rec.home.settings.namespace
    assert DeltaEventArchive(archive, namespace=namespace).read(0, 100_000) == log
    foretaste("simulate", "same.jsonl", *TRAFFIC)
    simulated = {event.event_id: event for event in ft.read_events(tmp_path / "same.jsonl")}
    assert {event.event_id: event for _, event in log} == simulated
    assert sent["deliveries"] > sent["events"] == len(log)
