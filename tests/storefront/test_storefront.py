"""The storefront in a real browser."""

import re

import pytest
from playwright import sync_api

from foretaste.app.wiring import home_in_memory
from foretaste.domain.item import Item
from foretaste.models.kinds import MODEL_KINDS
from foretaste.testing.waiting import until
from foretaste.training.sources import optional_sources, usual_sources

HOSTILE = "<img src=x onerror=\"document.title='hacked'\">"


@pytest.fixture(scope="module")
def address(serve):
    """A service of 40 items, one of them with a hostile title, and two people with a past."""
    with home_in_memory() as home:
        home.put_items(
            [
                Item(item_id=f"i{n}", title=f"Film {n}" if n else HOSTILE, categories=(f"Kind {n % 4}",))
                for n in range(40)
            ]
        )
        past = [
            {"user_id": f"u{user}", "item_id": f"i{(user * 3 + n) % 40}", "type": "watch"}
            for user in range(12)
            for n in range(24)
        ]
        home.recorder.record(past, now=1_700_000_000_000_000)
        with serve(home) as running:
            yield running


def visit(page, address, user="u1"):
    page.goto(f"{address}/?user={user}")
    page.wait_for_selector(".card:not(.skeleton)")
    page.wait_for_selector("#list[aria-busy=false]")
    return page


def shown(page):
    return page.locator(".card").evaluate_all("cards => cards.map(card => card.dataset.id)")


def settled(page):
    page.wait_for_selector("#change.fresh")
    page.wait_for_selector("#list[aria-busy=false]")


def test_a_person_sees_cards_with_title_kind_and_reason(page, address):
    visit(page, address)
    card = page.locator(".card").first
    assert card.locator("h3 .open").inner_text().startswith("Film")
    assert "Kind" in card.locator("small").inner_text()
    assert card.locator(".why p").inner_text()
    assert page.locator(".card").count() >= 12
    assert page.troubles == []


def test_rating_takes_the_item_away_and_the_page_says_what_changed(page, address):
    visit(page, address, "u2")
    before = shown(page)
    title = page.locator(".card .open").first.inner_text()
    page.locator(".card").first.locator(".rate").nth(4).click()
    settled(page)
    assert before[0] not in shown(page)
    told = page.locator("#change").inner_text()
    assert f"because you rated {title} 5 stars" in told
    assert page.locator("#past .fresh").inner_text().startswith(title)
    assert page.troubles == []


@pytest.mark.parametrize(
    ("button", "words"), [("Watched it", "you watched"), ("Not for me", "you passed on")]
)
def test_watching_and_dismissing_change_the_list_too(page, address, button, words):
    visit(page, address, "u3")
    before = shown(page)
    page.locator(".card").nth(1).get_by_role("button", name=button).click()
    settled(page)
    assert before[1] not in shown(page)
    assert words in page.locator("#change").inner_text()


def test_an_explanation_unfolds_with_bars_that_sum_to_100(page, address):
    visit(page, address, "u4")
    why = page.get_by_role("button", name="Why").first
    why.click()
    bars = page.locator(".because .bars b").all_inner_texts()
    assert bars
    assert abs(sum(int(text.rstrip("%")) for text in bars) - 100) <= len(bars)


def test_a_hostile_title_is_shown_as_text(page, address):
    visit(page, address, "new-1")
    page.locator("#search").fill("onerror")
    page.wait_for_selector("#found li[role=option]")
    assert HOSTILE in page.locator("#found").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_selector("#detail[open]")
    assert page.locator("#detail-title").inner_text() == HOSTILE
    assert page.title() == "Foretaste"
    assert page.locator("img[src=x]").count() == 0


def test_someone_new_starts_with_what_is_popular_and_is_known_after_one_click(page, address):
    visit(page, address)
    page.locator("#person").click()
    page.locator("#newcomer").click()
    page.wait_for_selector("#people:not([open])", state="attached")
    page.wait_for_selector("#list[aria-busy=false]")
    assert page.locator("#source").inner_text() == "Popular right now"
    page.locator(".card .open").first.click()
    page.wait_for_selector("#detail[open]")
    settled(page)
    page.keyboard.press("Escape")
    assert page.locator("#source").inner_text() == "For you, as of this moment"
    assert "you looked at" in page.locator("#change").inner_text()


def test_a_genre_keeps_the_list_to_it(page, address):
    visit(page, address, "u5")
    page.locator("#chips button", has_text="Kind 2").click()
    settled(page)
    assert {text.split(" · ")[-1] for text in page.locator(".card small").all_inner_texts()} == {"Kind 2"}
    assert page.locator("#chips button", has_text="Kind 2").get_attribute("aria-pressed") == "true"


def test_the_keyboard_alone_can_rate(page, address):
    visit(page, address, "u6")
    before = shown(page)
    page.locator(".card").first.locator(".open").focus()
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('rate')"):
            break
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    settled(page)
    assert "3 stars" in page.locator("#change").inner_text()
    assert before[0] not in shown(page)


def test_focus_can_be_seen(page, address):
    visit(page, address)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_phone_shows_two_columns_and_nothing_sticks_out(browser, address):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    page = visit(context.new_page(), address)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = [card.bounding_box() for card in page.locator(".card").all()[:2]]
    assert boxes[0]["y"] == boxes[1]["y"]
    act = page.locator(".card .actions").first.evaluate("row => row.scrollWidth <= row.clientWidth")
    assert act
    context.close()


def test_a_long_id_without_a_blank_does_not_widen_the_page(page, address):
    visit(page, address, user="x" * 250)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_light_and_dark_follow_the_system_until_one_is_chosen(browser, address):
    context = browser.new_context(color_scheme="dark")
    page = visit(context.new_page(), address)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.locator("#theme").click()
    light = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == light
    context.close()


def test_a_service_that_is_away_is_said_so_and_may_be_asked_again(page, address):
    visit(page, address, "u7")
    page.route("**/recommend/**", lambda route: route.abort())
    page.locator("#chips button").first.click()
    page.wait_for_selector("#note:not([hidden])")
    assert "does not answer" in page.locator("#note").inner_text()
    page.unroute("**/recommend/**")
    page.locator("#note button").click()
    page.wait_for_selector("#note", state="hidden")
    assert page.locator(".card").count() > 0


def test_a_service_that_was_away_at_first_is_all_there_when_asked_again(page, address):
    asked = re.compile(r"/(recommend/|catalog|scenarios|users)")
    page.route(asked, lambda route: route.abort())
    page.goto(f"{address}/?user=u7")
    page.wait_for_selector("#note:not([hidden])")
    page.unroute(asked)
    page.locator("#note button").click()
    page.wait_for_selector("#note", state="hidden")
    page.wait_for_selector(".card:not(.skeleton)")
    assert page.locator("#chips button").count() == 4
    page.select_option("#scenario", "trending")
    page.locator("#chips button").first.click()
    sync_api.expect(page.locator("#chips button").first).to_have_attribute("aria-pressed", "true")


def test_an_event_that_is_not_taken_is_said_so_and_the_list_stays(page, address):
    visit(page, address, "u8")
    before = shown(page)
    answer = '{"status": 503, "detail": "the disk is full"}'
    page.route(
        "**/events",
        lambda route: route.fulfill(status=503, content_type="application/problem+json", body=answer),
    )
    page.locator(".card").first.get_by_role("button", name="Watched it").click()
    sync_api.expect(page.locator("#change")).to_contain_text("Not recorded yet: the disk is full")
    assert shown(page) == before


def test_an_empty_list_offers_a_way_on(page, address):
    visit(page, address, "u9")
    nothing = {
        "recommendation_id": "r",
        "source": "trending",
        "state_seq": 1,
        "model_version": "m",
        "items": [],
    }
    page.route("**/recommend/**", lambda route: route.fulfill(json=nothing))
    page.locator("#variety").fill("60")
    page.wait_for_selector("#note:not([hidden])")
    assert page.locator("#note .title").inner_text() == "Nothing to show yet"


def test_the_reference_page_draws_every_operation_and_can_try_one(page, address):
    page.goto(f"{address}/docs")
    page.wait_for_selector("#operations[aria-busy=false]")
    assert page.locator(".operation").count() > 20
    texts = page.locator(".operation summary, .operation p, .operation td").all_text_contents()
    assert not [text for text in texts if "`" in text]
    assert page.locator("#post_recommend summary code").all_inner_texts() == ["rules"]
    box = page.locator("#get_recommend_user_id")
    box.locator("summary").click()
    box.locator("input").first.fill("u1")
    box.get_by_role("button", name="Send").click()
    sync_api.expect(box.locator("pre")).to_contain_text("recommendation_id")
    assert page.troubles == []


def test_another_scenario_is_asked_for(page, address):
    visit(page, address)
    page.select_option("#scenario", "because-you-watched")
    sync_api.expect(page.locator("#headline")).to_contain_text("Because you watched")
    assert page.troubles == []


def test_a_filter_in_words_narrows_the_list(page, address):
    visit(page, address)
    page.locator(".recipe summary").click()
    page.fill("#filter", 'contains(title, "Film 1")')
    page.press("#filter", "Enter")
    until(lambda: all(item == "i1" or item[:-1] == "i1" for item in shown(page)))
    assert shown(page)


def test_a_person_is_known_though_a_filter_leaves_nothing_of_theirs(page, address):
    visit(page, address)
    page.locator(".recipe summary").click()
    page.fill("#filter", 'contains(title, "no such film")')
    page.press("#filter", "Enter")
    page.wait_for_selector("#note:not([hidden])")
    assert page.locator("#headline").inner_text() == "A taste of what comes next"
    assert page.locator("#past").is_visible()
    page.locator("#person").click()
    page.fill("#named-id", "u2")
    page.press("#named-id", "Enter")
    sync_api.expect(page.locator("#person .name")).to_have_text("u2")
    sync_api.expect(page.locator("#headline")).to_have_text("A taste of what comes next")
    sync_api.expect(page.locator("#change")).to_contain_text("Watch, rate or dismiss")
    assert page.troubles == []


def test_in_a_shop_one_is_told_to_buy(page, address):
    page.route("**/catalog?*", lambda route: route.fulfill(json={"categories": [], "taken_by": ["purchase"]}))
    visit(page, address)
    assert page.locator("#change").inner_text() == "Buy, rate or dismiss anything: the list answers at once."


def test_a_filter_that_is_wrong_is_pointed_at_and_the_list_stays(page, address):
    visit(page, address)
    before = shown(page)
    page.locator(".recipe summary").click()
    page.fill("#filter", "category ==")
    page.press("#filter", "Enter")
    sync_api.expect(page.locator("#wrong")).to_contain_text("a value is missing")
    assert shown(page) == before


WORDS = "words => import('/storefront/words.js').then(module => module[words[0]](words[1]))"


def test_every_kind_of_source_has_words(page, address):
    visit(page, address)
    sources = sorted({*MODEL_KINDS, *usual_sources(effort="best", vectors=True), *optional_sources()})
    words = page.evaluate(WORDS, ["proposedBy", sources])
    assert not set(words) & set(sources)


@pytest.mark.parametrize(
    ("user", "initials"), [("ann", "A"), ("\N{BALLOON}", "\N{BALLOON}"), ("\N{BALLOON}s ann", "\N{BALLOON}A")]
)
def test_the_initials_of_a_person_are_whole_characters(page, address, user, initials):
    visit(page, address)
    assert page.evaluate(WORDS, ["initials", user]) == initials
