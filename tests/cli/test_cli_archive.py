"""`foretaste archive`, and learning from what it wrote."""

import signal
import subprocess
import sys
import time

import foretaste as ft

SECONDS = 60


def test_archiving_goes_on_where_it_stopped_and_says_what_it_did(foretaste, shop_files):
    foretaste("ingest", "events", shop_files / "log.parquet", "--home", "shop")
    first = foretaste("archive", "events", "--home", "shop", "--json").json
    assert (first["archived"], first["last_seq"]) == (1_500, 1_500)
    again = foretaste("archive", "events", "--home", "shop", "--compact", "--keep-days", "7")
    assert "0 events archived to events, up to number 1,500" in again.out
    copied = foretaste("ingest", "events", "events", "--home", "copy", "--json").json
    assert (copied["accepted"], copied["rejected"]) == (1_500, 0)
    assert (
        foretaste("ingest", "events", "events", "--as-of", "0", "--home", "none", "--json").json["accepted"]
        == 0
    )


def test_what_cannot_be_archived_is_said_with_an_exit_code(foretaste, shop_files):
    assert foretaste("archive", "events", "--home", "nowhere").code == 3
    foretaste("ingest", "events", shop_files / "log.parquet", "--home", "shop")
    unnamed = foretaste("archive", "--home", "shop")
    assert (unnamed.code, "FORETASTE_ARCHIVE_URL" in unnamed.err) == (2, True)
    foretaste("archive", "events", "--home", "shop")
    foretaste("ingest", "events", shop_files / "log.parquet", "--type", "view", "--home", "other")
    (shop_files / "few.csv").write_text("user_id,item_id\nu,i\n")
    foretaste("ingest", "events", shop_files / "few.csv", "--home", "few")
    refused = foretaste("archive", "events", "--home", "few")
    assert (refused.code, "another log" in refused.err) == (5, True)
    assert foretaste("ingest", "events", "events", "--as-of", "99", "--home", "none").code == 3


def test_watching_archives_what_comes_in_and_the_rest_when_told_to_stop(tmp_path):
    with ft.Recommender.train(
        ft.datasets.synthetic(n_events=400, seed=1).events, home=tmp_path / "shop"
    ) as rec:
        command = [
            sys.executable,
            "-m",
            "foretaste.app.cli",
            "archive",
            "events",
            "--home",
            "shop",
            "--watch",
        ]
        with subprocess.Popen([*command, "--patience", "0"], cwd=tmp_path, stderr=subprocess.PIPE) as child:
            wait_for(400, tmp_path / "events")
            rec.record(user_id="u1", item_id="i1", type="click")
            wait_for(401, tmp_path / "events")
            rec.record(user_id="u1", item_id="i2", type="click")
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=SECONDS)
    assert child.returncode == 0
    assert len(ft.read_events(tmp_path / "events")) == 402


def wait_for(count, place):
    deadline = time.monotonic() + SECONDS
    while not (place / "_delta_log").is_dir() or len(ft.read_events(place)) < count:
        assert time.monotonic() < deadline, f"{count} events were not archived in time"
        time.sleep(0.2)
