"""A slate as a table."""

import msgspec
import polars as pl
import pytest
from rich.console import Console

from foretaste.app.slates import as_slate
from foretaste.domain import slate as domain

VERSIONS = domain.Versions(
    state_seq=3, item_state_seq=3, catalog_version=1, artifact="v1", blend="b1", scenario="home"
)


def place(rank, item_id, title, explanation=None):
    return domain.ScoredItem(
        item_id=item_id,
        item_idx=rank,
        rank=rank,
        score=2.0 - rank,
        match=0.815,
        sources=("ease",),
        reason="because of <Kite>",
        propensity=1.0,
        title=title,
        explanation=explanation,
    )


def answer(*items, user_id="196"):
    return domain.Slate(
        recommendation_id="r1",
        user_id=user_id,
        source="personalized",
        model_version="v1",
        items=items,
        versions=VERSIONS,
        scenario="home",
        generated_at=0,
    )


EVIDENCE = domain.Evidence(item_id="k", item_idx=7, item_name="Kite", similarity=0.5, contribution_pct=100.0)


@pytest.fixture
def slate():
    return as_slate(answer(place(1, "242", "Kolya"), place(2, "[b]x", "<script>\x1b[31m", (EVIDENCE,))))


def test_it_is_a_sequence_of_places(slate):
    assert [item.item_id for item in slate] == ["242", "[b]x"]
    assert (len(slate), slate[1].rank) == (2, 2)


def test_it_prints_as_a_table(slate):
    text = str(slate)
    assert "for user 196: personalized" in text
    assert "Kolya" in text
    assert "82%" in text
    assert "Kite 100 %" in text
    assert repr(slate) == text


def test_a_chance_that_was_never_measured_is_not_shown_as_none():
    unmeasured = msgspec.structs.replace(place(1, "242", "Kolya"), match=0.0)
    shown = as_slate(answer(unmeasured, place(2, "k", "Kite")))
    for text in (str(shown), shown._repr_html_()):
        assert "82%" in text
        assert "0%" not in text


def test_markup_and_control_characters_are_only_text(slate):
    assert "[b]x" in str(slate)
    assert "\x1b" not in str(slate)
    with Console(force_terminal=True, width=100).capture() as captured:
        Console(width=100).print(slate)
    assert "\x1b[31m" not in captured.get()


def test_in_a_notebook_it_is_an_escaped_table(slate):
    html = slate._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert html.count("<tr>") == 3


def test_it_becomes_a_frame(slate):
    frame = slate.to_polars()
    assert frame.select("user_id", "rank", "item_id").rows() == [("196", 1, "242"), ("196", 2, "[b]x")]
    assert frame["match"].dtype == pl.Float64


def test_an_empty_slate_says_so():
    slate = as_slate(answer(user_id=None))
    assert len(slate) == 0
    assert "for everyone: personalized, nothing to show" in str(slate)
    assert slate.to_polars().height == 0


def test_it_is_still_the_answer(slate):
    assert msgspec.json.decode(msgspec.json.encode(slate), type=domain.Slate).items == slate.items
