"""`foretaste simulate`."""

import pytest

import foretaste as ft

DAY = ("--rate", "0.05", "--duration", "20000", "--start", "2026-01-01", "--seed", "4")


def test_the_same_seed_and_start_give_the_same_file(foretaste, tmp_path):
    first = foretaste("simulate", "one.jsonl", *DAY, "--json").json
    again = foretaste("simulate", "two.jsonl", *DAY, "--batch", "7", "--json").json
    assert first["events"] == again["events"] > 500
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    other = foretaste("simulate", "three.jsonl", *DAY[:-1], "5", "--json").json
    assert (tmp_path / "three.jsonl").read_bytes() != (tmp_path / "one.jsonl").read_bytes()
    assert other["seed"] == 5


def test_it_ends_now_where_no_start_is_given_and_says_how_to_get_it_again(foretaste, tmp_path):
    said = foretaste("simulate", "traffic.jsonl", "--duration", "5000")
    start = said.out.split("--start ")[1].split()[0]
    again = foretaste("simulate", "again.jsonl", "--duration", "5000", "--start", start)
    assert (said.code, again.code) == (0, 0)
    assert (tmp_path / "traffic.jsonl").read_bytes() == (tmp_path / "again.jsonl").read_bytes()


def test_a_home_is_filled_once_and_judged(foretaste):
    filled = foretaste("simulate", "shop", *DAY, "--users", "40", "--items", "50", "--json").json
    assert filled["accepted"] == filled["events"]
    judged = foretaste(
        "simulate", "shop", *DAY, "--users", "40", "--items", "50", "--judge", "10", "--json"
    ).json
    assert (judged["accepted"], judged["duplicates"]) == (0, filled["deliveries"])
    assert 0 < judged["judgement"]["reward"] < judged["judgement"]["oracle"] < 1
    words = foretaste("simulate", "shop", *DAY, "--users", "40", "--items", "50", "--judge", "10").out
    assert "of the way" in words


def test_traffic_that_starts_at_another_time_is_new(foretaste):
    later = [*DAY[:-3], "2026-01-02", *DAY[-2:]]
    first = foretaste("simulate", "shop", *DAY, "--json").json
    second = foretaste("simulate", "shop", *later, "--json").json
    assert (first["accepted"], second["accepted"]) == (first["events"], second["events"])


def test_what_cannot_be_simulated_is_said(foretaste):
    for option in ("--rate", "--duration"):
        endless = foretaste("simulate", "x.jsonl", option, "inf")
        assert (endless.code, f"{option} must be a finite number" in endless.err) == (2, True)
    future = foretaste("simulate", "x.jsonl", "--start", "2999-01-01")
    assert (future.code, "in the future" in future.err) == (2, True)
    assert foretaste("simulate", "x.jsonl", "--live", "--start", "2026-01-01").code == 2
    assert foretaste("simulate", "x.jsonl", "--rate", "0").code == 2
    assert foretaste("simulate", "x.jsonl", "--judge", "3", *DAY).code == 2
    assert foretaste("simulate", "ftp://x", *DAY).code == 2


def test_a_live_simulation_takes_its_time(foretaste):
    said = foretaste(
        "simulate",
        "live.jsonl",
        "--live",
        "--duration",
        "2",
        "--rate",
        "50",
        "--late",
        "0",
        "--duplicates",
        "0",
        "--json",
    )
    assert said.json["seconds"] >= 1.5
    times = ft.read_events("live.jsonl").frame["timestamp"]
    assert times.is_sorted()


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (("--start", "9999-12-31"), "in the future"),
        (("--start", "2020-01-01", "--duration", "1e300"), "duration"),
        (("--live", "--duration", "1e300"), "duration"),
        (("--duration", "1e-7"), "duration"),
        (("--duration", "1e10"), "before 1970"),
        (("--start", "1960-01-01"), "before 1970"),
    ],
)
def test_times_that_cannot_be_are_said_to_be(foretaste, times, reason):
    found = foretaste("simulate", "shop", *times)
    assert found.code == 2
    assert reason in found.err


def test_slates_that_hold_all_items_are_as_good_as_can_be(foretaste):
    words = foretaste("simulate", "shop", *DAY, "--users", "5", "--items", "5", "--judge", "5").out
    assert "popularity is as good as can be" in words
