"""The JavaScript module in a real browser, on a page of another origin than the service's."""

import re
import time
from importlib.resources import files

import pytest

from foretaste.app.http.asgi.exchange import Response
from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory
from foretaste.domain.item import Item
from foretaste.testing.waiting import until

LONG = 600_000
OPEN = """async ([url, options]) => {
  const { Foretaste } = await import(`${url}/foretaste.js`);
  window.shop = new Foretaste(options);
}"""
WAITING = "Object.keys(localStorage).filter((key) => key.startsWith('foretaste:event.')).length"


@pytest.fixture(scope="module")
def shop_page(serve_app):
    """The address of an empty page."""

    async def empty(scope, receive, send):
        if scope["type"] == "http":
            html = ((b"content-type", b"text/html"),)
            await Response(b"<!doctype html><link rel=icon href=data:,>", headers=html).send(send)
        elif scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await send({"type": "lifespan.shutdown.complete"})

    with serve_app(empty) as address:
        yield address


@pytest.fixture(scope="module")
def home(shop_page):
    """A home that lets the shop's pages in."""
    with home_in_memory(Settings(allowed_origins=(shop_page,))) as opened:
        opened.put_items([Item(item_id=f"i{n}", title=f"Film {n}") for n in range(20)])
        opened.recorder.record(
            [{"user_id": f"u{n}", "item_id": f"i{n}", "type": "watch"} for n in range(9)], now=1
        )
        yield opened


@pytest.fixture(scope="module")
def service(home, serve):
    with serve(home) as address:
        yield address


@pytest.fixture
def shop(page, shop_page, service):
    """Open the module on the shop's page: `shop(user="u1")` returns the page."""

    def opened(on=page, **options):
        on.goto(shop_page)
        on.evaluate(OPEN, [service, {"consent": True, "delay": LONG, **options}])
        return on

    return opened


def told(home, user):
    """The events of a person in the log."""
    return [event for _, event in home.log.events(0, 100_000) if event.user_id == user]


def test_events_gather_and_go_in_one_request(shop, home):
    page = shop(user="gathers", delay=300)
    sent = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    page.evaluate("for (const n of [1, 2, 3]) shop.track({type: 'view', item_id: `i${n}`})")
    events = until(lambda: len(found := told(home, "gathers")) == 3 and found)
    assert [event.item_id for event in events] == ["i1", "i2", "i3"]
    assert len({event.session_id for event in events}) == 1
    page.wait_for_function(f"{WAITING} === 0")
    assert len(sent) == 1


def test_a_list_knows_what_was_tracked_just_before(shop):
    page = shop(user="live")
    ids = page.evaluate(
        """async () => {
          const first = await shop.recommend({k: 3});
          shop.track({type: 'watch', item_id: first.items[0].item_id});
          const next = await shop.recommend({k: 20});
          return [first.items[0].item_id, next.items.map((item) => item.item_id)];
        }"""
    )
    assert ids[0] not in ids[1]


def test_a_click_names_the_list_it_answers_even_on_the_next_page(shop, home):
    page = shop(user="clicks")
    listed = page.evaluate("shop.recommend({k: 3})")
    shop(user="clicks")
    item = listed["items"][1]["item_id"]
    page.evaluate("(item) => { shop.track({type: 'click', item_id: item}); return shop.flush() }", item)
    (event,) = told(home, "clicks")
    assert event.recommendation_id == listed["recommendation_id"]


def test_what_waits_when_the_page_is_left_goes_as_a_beacon_and_is_not_doubled(shop, home):
    page = shop(user="leaves")
    page.evaluate("shop.track({type: 'view', item_id: 'i4'})")
    page.goto("about:blank")
    until(lambda: told(home, "leaves"))
    shop(user="leaves")
    assert page.evaluate(WAITING) == 1
    page.evaluate("shop.flush()")
    assert page.evaluate(WAITING) == 0
    assert len(told(home, "leaves")) == 1


def test_what_was_tracked_without_a_network_arrives_when_there_is_one(shop, page, home):
    shop(user="offline")
    page.context.set_offline(True)
    page.evaluate("shop.track({type: 'view', item_id: 'i5'})")
    refused = page.evaluate("shop.flush().catch((error) => [error.status, error.message])")
    assert refused == [0, "The service does not answer. Is it running?"]
    page.context.set_offline(False)
    assert [event.item_id for event in until(lambda: told(home, "offline"))] == ["i5"]


WORDY = """() => {
  const context = Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, "ü".repeat(120)]));
  for (let n = 0; n < 90; n += 1) shop.track({type: 'view', item_id: `i${n % 20}`, context});
}"""
"""More than what a request may hold that outlives its page."""


def test_events_that_say_much_arrive(shop, home):
    page = shop(user="wordy")
    page.evaluate(WORDY)
    page.evaluate("shop.flush()")
    assert page.evaluate(WAITING) == 0
    assert len(told(home, "wordy")) == 90


def test_of_events_that_say_much_the_first_go_as_a_beacon(shop, home):
    page = shop(user="leaves-wordy")
    page.evaluate(WORDY)
    page.goto("about:blank")
    assert 10 < len(until(lambda: told(home, "leaves-wordy"))) < 90


def test_parameters_that_are_not_set_are_left_out(shop):
    page = shop(user="u1")
    answer = page.evaluate(
        "shop.recommend({k: 2, scenario: undefined, model: null, exclude_ids: ['i1', null]})"
    )
    assert len(answer["items"]) == 2


def test_the_queue_outlives_the_tab_and_a_lost_beacon(shop, browser, home):
    context = browser.new_context()
    tab = shop(context.new_page(), user="tab")
    tab.evaluate("navigator.sendBeacon = () => true")
    tab.evaluate("shop.track({type: 'view', item_id: 'i6'})")
    tab.close()
    assert told(home, "tab") == []
    shop(context.new_page(), user="tab", delay=0)
    until(lambda: told(home, "tab"))
    context.close()


def test_two_tabs_lose_nothing_of_each_other(shop, browser, home):
    context = browser.new_context()
    tabs = [shop(context.new_page(), user="two") for _ in range(2)]
    for n in range(10):
        tabs[n % 2].evaluate("(n) => { shop.track({type: 'view', item_id: `i${n}`}) }", n)
    for tab in tabs:
        tab.evaluate("shop.flush()")
    assert sorted(event.item_id for event in told(home, "two")) == [f"i{n}" for n in range(10)]
    context.close()


def test_a_refusal_is_told_and_the_event_kept(shop, page, home):
    shop(user="busy")
    page.route("**/events", lambda route: route.fulfill(status=503, json={"detail": "the disk is full"}))
    page.evaluate("shop.track({type: 'view', item_id: 'i7'})")
    assert page.evaluate("shop.flush().catch((error) => error.message)") == "the disk is full"
    page.unroute("**/events")
    page.evaluate("shop.flush()")
    assert len(told(home, "busy")) == 1


def test_an_event_that_can_never_be_taken_does_not_hold_up_the_others(shop, page, home):
    shop(user="mixed")
    page.evaluate("shop.track({type: '', item_id: 'i1'}); shop.track({type: 'view', item_id: 'i2'})")
    page.evaluate("shop.flush()")
    page.evaluate("shop.track({type: '', item_id: 'i1'})")
    page.evaluate("shop.flush()")
    assert [event.item_id for event in told(home, "mixed")] == ["i2"]
    assert page.evaluate(WAITING) == 0


def test_half_a_character_in_an_event_loses_none(shop, home):
    page = shop(user="halves")
    page.evaluate(
        """() => {
          shop.track({type: 'view', item_id: 'i1'});
          shop.track({type: 'view', item_id: 'i2', context: {said: 'a \\u{1F381}'.slice(0, 3)}});
          return shop.flush();
        }"""
    )
    assert [event.item_id for event in told(home, "halves")] == ["i1", "i2"]


@pytest.mark.parametrize("status", [400, 413])
def test_a_request_refused_without_a_word_on_each_event_costs_only_the_event_that_is_meant(
    shop, page, home, status
):
    def refuse(route):
        many = len(route.request.post_data_json) > 60
        meant = "unspeakable" in route.request.post_data
        return route.fulfill(status=status, body="<html>") if many or meant else route.continue_()

    shop(user=f"refused-{status}")
    page.route("**/events", refuse)
    page.evaluate(
        "for (let n = 0; n < 70; n += 1) shop.track({type: n === 33 ? 'unspeakable' : 'view', item_id: 'i1'})"
    )
    page.evaluate("shop.flush()")
    assert len(told(home, f"refused-{status}")) == 69
    assert page.evaluate(WAITING) == 0


@pytest.mark.parametrize("nobody", ["''", "undefined", "null"])
def test_who_is_not_known_by_any_of_its_names_is_a_stranger(shop, page, home, nobody):
    shop()
    page.evaluate(f"shop.known = {nobody}")
    user = page.evaluate("shop.user")
    assert user.startswith("anonymous-")
    assert page.evaluate("shop.recommend({k: 1})")["user_id"] == user
    page.evaluate("shop.track({type: 'view', item_id: 'i1'}); shop.flush()")
    until(lambda: told(home, user))


def test_a_click_on_an_item_called_by_a_number_names_its_list(shop, home):
    home.put_items([Item(item_id="7", title="Seven")])
    page = shop(user="numbers")
    listed = page.evaluate("shop.recommend({filter: 'item_id == \"7\"'})")
    page.evaluate("shop.track({type: 'click', item_id: 7}); shop.flush()")
    (event,) = until(lambda: told(home, "numbers"))
    assert event.recommendation_id == listed["recommendation_id"]


def test_what_was_just_shown_again_is_among_the_last_300_shown(shop):
    page = shop(user="scrolls")
    page.evaluate(
        """() => {
          const items = (names) => names.map((item_id) => ({ item_id }));
          const list = (id, ...names) => ({ recommendation_id: id, items: items(names) });
          for (let n = 0; n < 300; n += 1) shop.shown(list('old', `s${n}`));
          shop.shown(list('new', 's0', 'more'));
          shop.track({type: 'click', item_id: 's0', event_id: 'again'});
        }"""
    )
    assert page.evaluate("JSON.parse(localStorage['foretaste:event.again']).recommendation_id") == "new"


def test_a_wrong_clock_loses_nothing(shop, page, home):
    shop(user="clock")
    page.evaluate("{ const real = Date.now; Date.now = () => real() + 3_600_000 + (window.later ?? 0) }")
    page.evaluate("shop.track({type: 'view', item_id: 'i8'}); window.later = 60_000")
    page.evaluate("shop.flush()")
    (event,) = told(home, "clock")
    assert event.timestamp <= time.time() * 1_000_000


def test_without_consent_nothing_is_stored_or_told(shop, page, home):
    before = home.log.last_seq()
    shop(consent=False)
    assert page.evaluate("shop.track({type: 'view', item_id: 'i1'})") is None
    assert page.evaluate("shop.recommend({k: 2})")["source"] == "trending"
    assert page.evaluate("shop.user") is None
    assert page.evaluate("localStorage.length") == 0
    assert home.log.last_seq() == before


def test_to_take_consent_back_removes_what_was_stored(shop, page):
    shop()
    page.evaluate("shop.track({type: 'view', item_id: 'i1'}); localStorage.setItem('theirs', '1')")
    page.evaluate("shop.consent = false")
    assert page.evaluate("Object.keys(localStorage)") == ["theirs"]


def test_to_take_consent_back_removes_what_was_stored_before_storage_was_full(shop, page):
    shop()
    page.evaluate("shop.track({type: 'view', item_id: 'i1'})")
    page.evaluate("shop.track({type: 'view', item_id: 'i2', event_id: 'x'.repeat(6_000_000)})")
    page.evaluate("shop.consent = false")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_a_stranger_keeps_an_id_until_known(shop, page):
    anonymous = shop().evaluate("shop.user")
    assert anonymous.startswith("anonymous-")
    assert shop().evaluate("shop.user") == anonymous
    assert page.evaluate("(shop.known = 'ann', shop.user)") == "ann"


def test_storage_that_is_full_or_forbidden_stops_nothing(shop, page, home):
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden') }})"
    )
    shop(user="forbidden")
    page.evaluate("shop.track({type: 'view', item_id: 'i9'})")
    page.evaluate("shop.flush()")
    assert len(told(home, "forbidden")) == 1


def test_the_module_is_small_and_stands_alone():
    text = files("foretaste.app.http").joinpath("browser/foretaste.js").read_text(encoding="utf-8")
    code = re.sub(r"^\s*(//|/?\*).*\n", "", text, flags=re.MULTILINE)
    assert len(code.encode()) < 6_144
    assert "import " not in code
