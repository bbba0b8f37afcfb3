"""Spark reads the archive, and Foretaste what Spark wrote into it (`make spark`)."""

import json
import os
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from deltalake import DeltaTable

import foretaste as ft
from foretaste.adapters.delta.event_archive import DeltaEventArchive
from foretaste.testing.contracts.event_archive import appended, everything, numbered

CHILD = Path(__file__).with_name("spark_child.py")
PYTHON, JARS = (os.environ.get(f"FORETASTE_SPARK_{name}", "") for name in ("PYTHON", "JARS"))
SECONDS = 900

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (PYTHON and JARS),
        reason="FORETASTE_SPARK_PYTHON and FORETASTE_SPARK_JARS are not set: make spark",
    ),
]


def events(start, stop):
    """Return events, every third with a value and every fourth with a context."""
    return [
        pair
        for n in range(start, stop)
        for pair in numbered(
            n, n + 1, value=n / 4 if n % 3 == 0 else None, context={"device": "phone"} if n % 4 == 0 else {}
        )
    ]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The place of an archive, what was in it, and what Spark said of it before it appended."""
    place = tmp_path_factory.mktemp("spark") / "archive"
    archive = DeltaEventArchive(place)
    appended(archive, events(1, 60))
    version = archive.versions()[-1].number
    appended(archive, events(60, 101))
    archive.compact()
    command = [PYTHON, str(CHILD), JARS, str(place), str(version), "101"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert run.returncode == 0, run.stderr[-4000:]
    return place, json.loads(run.stdout.splitlines()[-1])


def expected(whole):
    days = Counter(
        datetime.fromtimestamp(event.timestamp / 1e6, UTC).date().isoformat() for _, event in whole
    )
    return {
        "count": len(whole),
        "users": len({event.user_id for _, event in whole}),
        "values": sum(event.value for _, event in whole if event.value is not None),
        "phones": sum(event.context == {"device": "phone"} for _, event in whole),
        "per_day": dict(days),
        "wrong_days": 0,
        "ids": [event.event_id for _, event in whole],
    }


def test_spark_counts_what_was_archived(told):
    _, said = told
    types = said["present"].pop("types")
    assert said["present"] == expected(events(1, 101))
    assert types == {
        "seq": "bigint",
        "event_id": "string",
        "user_id": "string",
        "item_id": "string",
        "type": "string",
        "timestamp": "timestamp",
        "value": "double",
        "session_id": "string",
        "recommendation_id": "string",
        "context": "string",
        "day": "date",
    }


def test_spark_reads_a_past_version(told):
    _, said = told
    said["past"].pop("types")
    assert said["past"] == expected(events(1, 60))


def test_foretaste_reads_what_spark_appended_and_compacted(told):
    place, _ = told
    read = everything(DeltaEventArchive(place))
    assert read[:100] == events(1, 101)
    assert [(seq, event.event_id, event.user_id) for seq, event in read[100:]] == [
        (101 + n, f"spark-{n}", "u-spark") for n in range(3)
    ]
    assert DeltaTable(place).count() == len(ft.read_events(place)) == 103


def test_archiving_goes_on_after_spark_wrote(told):
    place, _ = told
    archive = DeltaEventArchive(place)
    assert archive.last_seq() == 100
    late = [(seq + 10, event) for seq, event in events(101, 110)]
    assert archive.append(100, late)
    assert (archive.last_seq(), len(everything(archive))) == (119, 112)
