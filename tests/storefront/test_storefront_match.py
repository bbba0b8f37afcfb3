"""The chance that a card tells, in a real browser, of a model that was learnt."""

import pytest
from playwright import sync_api

from foretaste.app.wiring import home_in_memory
from foretaste.domain.item import Item
from foretaste.models.popularity import PopularityConfig
from foretaste.pipeline.artifact import assemble
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import read_corpus
from foretaste.training.evaluate import UNPUBLISHED
from foretaste.training.fit import fit_sources
from foretaste.training.prepare import prepare

CHANCE = 0.87


@pytest.fixture(scope="module")
def address(serve):
    """A service of ten films whose every match is the same known chance."""
    with home_in_memory() as home:
        home.put_items([Item(item_id=f"i{n}", title=f"Film {n}") for n in range(10)])
        seen = [{"user_id": f"u{n}", "item_id": f"i{n % 5}", "type": "watch"} for n in range(20)]
        home.recorder.record(seen, now=1_700_000_000_000_000)
        corpus = read_corpus(home.log, home.id_map, home.catalog_columns)
        sources = {"popularity": PopularityConfig()}
        prepared = prepare(corpus, TrainConfig(sources=sources), seed=0)
        window = prepared.interactions(len(prepared.events))
        models = fit_sources(sources, window, corpus.catalog, seed=0).models
        home.serve_artifact(
            assemble(models, Blend.even(tuple(models)), Calibration.flat(CHANCE), UNPUBLISHED)
        )
        with serve(home) as running:
            yield running


def test_every_card_says_name_and_match_in_percent(page, address):
    page.goto(f"{address}/?user=u1")
    page.wait_for_selector(".card:not(.skeleton)")
    cards = page.locator(".card")
    assert cards.count() >= 5
    for card in cards.all():
        sync_api.expect(card.locator(".match")).to_have_text("87% match")
        assert card.locator("h3 .open").inner_text().startswith("Film")
    assert page.troubles == []
