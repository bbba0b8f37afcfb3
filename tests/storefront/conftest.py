"""A browser, and services for it. Where there is no browser these tests are skipped and say so."""

import os
import shutil
from pathlib import Path

import pytest
from playwright import sync_api

from foretaste.testing.served import served, served_home

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def pytest_collection_modifyitems(items):
    missing = pytest.mark.skipif(
        not Path(CHROMIUM).is_file(), reason=f"needs a Chromium; {CHROMIUM} is not there"
    )
    sockets = pytest.mark.filterwarnings("ignore::ResourceWarning")  # playwright's own
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(missing)
            item.add_marker(sockets)


@pytest.fixture(scope="session")
def serve():
    """Serve a home: `with serve(home) as address`."""
    return served_home


@pytest.fixture(scope="session")
def serve_app():
    """Serve any ASGI application."""
    return served


@pytest.fixture(scope="module")
def browser():
    """A browser; not for longer than a module, since asyncio belongs to its driver meanwhile."""
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    opened.troubles = []
    opened.on("pageerror", lambda error: opened.troubles.append(str(error)))
    opened.on("console", lambda told: opened.troubles.append(told.text) if told.type == "error" else None)
    yield opened
    context.close()
