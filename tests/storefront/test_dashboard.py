"""The monitoring page in a real browser."""

import json
import re
import urllib.request

import pytest
from playwright import sync_api

from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory
from foretaste.domain.item import Item


@pytest.fixture(scope="module")
def address(serve):
    """A service of 20 items that keeps its answers."""
    with home_in_memory(Settings(answer_cache="memory")) as home:
        home.put_items([Item(item_id=f"i{n}", title=f"Film {n}") for n in range(20)])
        home.recorder.record(
            [{"user_id": f"u{n}", "item_id": f"i{n}", "type": "watch"} for n in range(9)], now=1
        )
        with serve(home) as running:
            yield running


def ask(address, path, body=None):
    request = urllib.request.Request(address + path, None if body is None else json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def shown(page, measure):
    return page.locator(f"#{measure} p").inner_text()


@pytest.mark.parametrize("path", ["/dashboard", "/api/monitoring/dashboard"])
def test_the_page_shows_what_was_asked_and_refreshes_itself(page, address, path):
    page.goto(f"{address}{path}?seconds=0.2")
    page.wait_for_selector("#measures[aria-busy=false]")
    for _ in range(4):
        answer = ask(address, "/recommend/u1?k=3")
    item = answer["items"][0]["item_id"]
    click = {"user_id": "u2", "item_id": item, "type": "click", "event_id": f"click-{path}"}
    for _ in range(2):  # a duplicate is no second click
        ask(address, "/events", {**click, "recommendation_id": answer["recommendation_id"]})
    sync_api.expect(page.locator("#mean path")).not_to_have_attribute("d", "")
    sync_api.expect(page.locator("#clicks p")).to_contain_text("25.0 %")
    assert "since the start" in shown(page, "mean")
    assert "ms" in shown(page, "p95")
    assert "0.0 %" in shown(page, "errors")
    assert shown(page, "hits").rstrip().endswith("%")
    assert page.troubles == []


def test_what_became_of_lists_is_told_of_clients_whose_events_name_none(page, address):
    for path in ("/api/recommendations?user_id=u4", "/api/recommendations_with_cold_start?user_id=u5"):
        answer = ask(address, path)
        what = {"user_id": answer["user_id"], "item_id": answer["recommendations"][0]["item_id"]}
        ask(address, "/api/record_engagement", {**what, "engagement_type": "purchase"})
    page.goto(f"{address}/dashboard?seconds=0.2")
    for share in ("taken", "bought"):
        sync_api.expect(page.locator(f"#{share} output")).to_have_text(re.compile(r"[1-9]\d*\.\d %"))
        assert "of the last week" in shown(page, share)
    assert page.troubles == []


def test_a_service_that_is_away_is_said_so_and_asked_again(page, address):
    page.goto(f"{address}/dashboard?seconds=0.2")
    page.wait_for_selector("#measures[aria-busy=false]")
    page.route("**/metrics", lambda route: route.abort())
    sync_api.expect(page.locator("#state")).to_contain_text("does not answer")
    page.unroute("**/metrics")
    sync_api.expect(page.locator("#state")).to_contain_text("refreshed every")
