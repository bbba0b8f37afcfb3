"""Pages of other origins: closed by default, open to those that the setting names."""

import pytest
from asgi_client import FILMS, PAST, Client, did, problem

from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory

SHOP = "https://shop.example.org"


@pytest.fixture
def open_to_shop():
    with home_in_memory(Settings(allowed_origins=(SHOP,))) as opened:
        opened.put_items(FILMS)
        opened.recorder.record(PAST, now=1)
        yield Client(opened)


def asks_first(client, origin=SHOP):
    return client.send("OPTIONS", "/events", origin=origin, access_control_request_method="POST")


def test_nobody_else_may_read_or_write_by_default(client):
    assert "access-control-allow-origin" not in client.get("/recommend", origin=SHOP).headers
    document = problem(client.post("/events", did("ann", "fargo"), origin=SHOP), 403)
    assert "allowed_origins" in document["detail"]
    problem(asks_first(client), 405)


def test_a_page_that_is_named_reads_what_it_asks_for(open_to_shop):
    answer = open_to_shop.get("/recommend/ann", origin=SHOP)
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["vary"] == "origin"


def test_refusals_may_be_read_too(open_to_shop):
    assert open_to_shop.get("/recommend?k=0", origin=SHOP).headers["access-control-allow-origin"] == SHOP


def test_a_page_that_is_named_writes(open_to_shop):
    assert open_to_shop.post("/events", did("ann", "fargo"), origin=SHOP).status == 202


def test_the_browser_s_question_is_answered(open_to_shop):
    answer = asks_first(open_to_shop)
    assert (answer.status, answer.body) == (204, b"")
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "PUT" not in answer.headers["access-control-allow-methods"]


def test_pages_that_are_not_named_stay_outside(open_to_shop):
    assert "access-control-allow-origin" not in open_to_shop.get("/recommend", origin="https://b.org").headers
    problem(open_to_shop.post("/events", did("ann", "fargo"), origin="https://b.org"), 403)
    problem(asks_first(open_to_shop, "https://b.org"), 405)


def test_a_star_means_everybody():
    with home_in_memory(Settings(allowed_origins=("*",))) as opened:
        assert asks_first(Client(opened), "https://anywhere.example").status == 204


def test_without_an_origin_nothing_is_said(open_to_shop):
    assert "vary" not in open_to_shop.get("/recommend/ann").headers


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", "application/json", "application/reports+json"])
def test_events_are_read_whatever_their_content_type_says(client, kind):
    assert client.post("/events", did("ann", "fargo"), content_type=kind).status == 202
