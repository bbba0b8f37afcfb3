"""Everything as users meet it, on PostgreSQL: the commands, the service, its health and what doctor says."""

from contextlib import closing

import msgspec
import psycopg
import pytest
from psycopg import sql

from foretaste.app.cli.doctor import _findings
from foretaste.app.http.routes.health import health_of
from foretaste.app.settings import Settings
from foretaste.app.settings_loading import load_settings
from foretaste.app.wiring import open_home
from foretaste.domain.errors import NotDurableError, UnavailableError
from foretaste.testing.postgres_sites import PostgresSite
from foretaste.testing.waiting import until

EVENTS = "user_id,item_id,purchased\n1,101,1\n1,102,1\n2,101,1\n2,103,1\n3,102,1\n3,103,1\n"


@pytest.fixture
def environment(postgres):
    with closing(PostgresSite(postgres)) as site:
        yield {
            "DATABASE_URL": postgres,
            "FORETASTE_DATABASE_SCHEMA": site.schema,
            "FORETASTE_DATABASE_ANSWER_SECONDS": "30",
            "FORETASTE_DATABASE_WRITE_SECONDS": "60",
        }


def test_the_plain_name_of_the_url_is_understood(environment):
    assert load_settings(environment=environment, dotenv=None).database_url == environment["DATABASE_URL"]
    ours = {**environment, "FORETASTE_DATABASE_URL": "postgresql://other/x"}
    assert load_settings(environment=ours, dotenv=None).database_url == "postgresql://other/x"


def test_the_commands_work_on_it_and_the_folder_keeps_models_only(
    tmp_path, environment, foretaste, monkeypatch
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    purchases, home = tmp_path / "purchases.csv", tmp_path / "shop"
    purchases.write_text(EVENTS)
    ingest = ("ingest", "events", purchases, "--home", home, "--json")
    assert foretaste(*ingest).json["accepted"] == 6
    assert foretaste(*ingest).json["accepted"] == 0
    assert foretaste("train", "--home", home, "--effort", "quick").code == 0
    answer = foretaste("recommend", "1", "--home", home, "--json").json
    assert [item["item_id"] for item in answer["items"]] == ["103"]
    kept = {path.name for path in home.iterdir()}
    assert "models" in kept
    assert not {"foretaste.db", "exposures.db", "profiles.db"} & kept


def test_health_tells_how_far_the_process_is_behind(tmp_path, environment):
    settings = load_settings(environment=environment, dotenv=None)
    with open_home(tmp_path / "home", settings=settings, create=True) as home:
        home.catch_up(None)
        assert health_of(home).lag_seconds < 60.0
        home._stores.freshness.lag_seconds = lambda: 7.0
        health = health_of(home)
        assert health.status == "stale: the log was last seen 7 s ago"
        assert ["PostgreSQL at" in words and "7 s ago" in words for words in health.wrong] == [True]


def test_health_says_why_the_log_is_out_of_sight(tmp_path, environment):
    settings = load_settings(environment=environment, dotenv=None)
    with open_home(tmp_path / "home", settings=settings, create=True) as home:
        home.recorder.record([{"user_id": "u", "item_id": "i", "type": "view"}], now=1)
        with psycopg.connect(settings.database_url) as connection:
            schema = sql.Identifier(settings.database_schema)
            connection.execute(sql.SQL("DELETE FROM {}.event").format(schema))
        with pytest.raises(NotDurableError):
            home.recorder.record([{"user_id": "u", "item_id": "j", "type": "view"}], now=2)
        until(lambda: "the server lost events; restart" in " ".join(health_of(home).wrong))
        assert health_of(home).wrong[0].startswith("PostgreSQL at")


def test_a_balancer_can_be_told_to_pass_over_who_does_not_see_the_log(tmp_path, environment):
    settings = msgspec.structs.replace(
        load_settings(environment=environment, dotenv=None), ready_lag_seconds=60.0
    )
    with open_home(tmp_path / "home", settings=settings, create=True) as home:
        home.catch_up(None)
        assert health_of(home).events == 0
        home._stores.freshness.lag_seconds = lambda: 61.0
        with pytest.raises(UnavailableError, match=r"PostgreSQL at .* 61 s ago"):
            health_of(home)


def test_a_home_for_reading_refuses_to_write(tmp_path, environment):
    settings = load_settings(environment=environment, dotenv=None)
    open_home(tmp_path / "home", settings=settings, create=True).close()
    with open_home(tmp_path / "home", settings=settings, read_only=True) as home:
        event = {"user_id": "a", "item_id": "b", "type": "view"}
        with pytest.raises(UnavailableError, match="refuses to write"):
            home.recorder.record([event], now=1_700_000_000_000_000)
        with pytest.raises(UnavailableError):
            home.put_people({"a": {}})


def test_doctor_looks_at_the_server_and_tells_no_password(tmp_path, environment, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    open_home(tmp_path, settings=load_settings(environment=environment, dotenv=None)).close()
    findings = list(_findings(tmp_path))
    words = [finding.words for finding in findings]
    assert any("synchronous_commit" in said for said in words)
    assert any("PostgreSQL: 0 events" in said for said in words)
    assert not any(environment["DATABASE_URL"] in said for said in words)
    assert [finding for finding in findings if finding.level == "problem"] == []


def test_without_an_url_nothing_changes(tmp_path):
    with open_home(tmp_path / "home", settings=Settings(), create=True) as home:
        assert home.lag_seconds() == 0.0
        assert home.catch_up("anybody")
    assert (tmp_path / "home" / "foretaste.db").is_file()
