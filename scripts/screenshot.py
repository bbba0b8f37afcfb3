"""Take the README's picture of the storefront from a running service.

`python scripts/screenshot.py` writes docs/images/storefront.png (light) and storefront-dark.png from
http://127.0.0.1:8000; another address is the first argument. Needs a Chromium (`CHROMIUM`
names it, by default /usr/bin/chromium).
"""

import argparse
import os
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDTH, HEIGHT, SHARPNESS = 1360, 900, 1.25
SETTLED_MS = 1500


def open_list(browser: Browser, address: str, user: str, scheme: Literal["light", "dark"]) -> Page:
    """Return the storefront of a person once their list stands."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme, device_scale_factor=SHARPNESS
    )
    page = context.new_page()
    page.goto(f"{address}/?user={user}")
    page.wait_for_selector(".card:not(.skeleton)")
    page.wait_for_timeout(SETTLED_MS)
    return page


def rate(page: Page, place: int, stars: int) -> None:
    """Rate the item at a place (from 0) and wait until the list has answered."""
    page.locator(".card").nth(place).locator(".rate").nth(stars - 1).click()
    page.wait_for_selector(".change.fresh")
    page.mouse.move(0, 0)
    page.wait_for_timeout(SETTLED_MS)


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("address", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--user", default="196", help="whose list to show")
    given = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=ARGUMENTS
        )
        page = open_list(browser, given.address, given.user, "light")
        rate(page, 1, 5)
        page.locator(".card").nth(2).locator(".why button").click()
        page.wait_for_timeout(SETTLED_MS)
        page.screenshot(path=IMAGES / "storefront.png")
        page = open_list(browser, given.address, given.user, "dark")
        page.screenshot(path=IMAGES / "storefront-dark.png")
        browser.close()


if __name__ == "__main__":
    main()
