"""Delta tables as data to learn from: the archive gives what the log would have given."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

import foretaste as ft
from foretaste.adapters.delta.event_archive import DeltaEventArchive
from foretaste.adapters.delta.event_rows import frame_of
from foretaste.adapters.files.event_table import Events
from foretaste.app.archiving import ArchiveTask
from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory
from foretaste.domain.errors import InvalidInputError, NotFoundError
from foretaste.testing.contracts.event_archive import appended, numbered
from foretaste.training.corpus import read_corpus


def told(events):
    """Return events with different contexts, values and sessions, some a day late."""
    return [(n, ft.Event(**{f: getattr(e, f) for f in e.__struct_fields__} | more(n))) for n, e in events]


def more(n):
    return {
        "value": n / 3 if n % 2 else None,
        "session_id": f"s{n // 4}" if n % 3 else None,
        "context": {"device": "phone", "n": str(n % 3)} if n % 4 else {},
    }


@pytest.fixture
def archive(tmp_path):
    opened = DeltaEventArchive(tmp_path / "archive")
    appended(opened, told(numbered(1, 40)), told(numbered(40, 41)), told(numbered(41, 100)))
    return opened


def test_events_read_from_an_archive_are_those_of_the_log_in_its_order(tmp_path, archive):
    for source in (tmp_path / "archive", str(tmp_path / "archive"), f"delta://{tmp_path}/archive"):
        events = ft.read_events(source)
        assert list(events) == [event for _, event in told(numbered(1, 100))]
        assert (events.rejected, events.skipped) == ((), 0)
    archive.compact()
    assert list(ft.read_events(tmp_path / "archive")) == [event for _, event in told(numbered(1, 100))]


def test_an_archive_is_read_as_of_a_version_a_day_or_a_moment(tmp_path, archive):
    place, versions = tmp_path / "archive", archive.versions()
    assert len(ft.read_events(place, as_of=versions[1].number)) == 39
    assert len(ft.read_events(place, as_of=datetime.fromtimestamp(versions[2].time / 1e6 + 0.001, UTC))) >= 40
    assert len(ft.read_events(place, as_of=date(2100, 1, 1))) == 99
    with pytest.raises(NotFoundError, match="no version 77"):
        ft.read_events(place, as_of=77)
    with pytest.raises(NotFoundError, match="younger"):
        ft.read_events(place, as_of="2001-01-01")


def test_a_file_has_no_past_versions(tmp_path):
    (tmp_path / "a.csv").write_text("user_id,item_id\n1,2\n")
    with pytest.raises(InvalidInputError, match="only Delta tables"):
        ft.read_events(tmp_path / "a.csv", as_of=3)


def test_any_delta_table_can_be_read_with_its_own_columns(tmp_path):
    orders = pl.DataFrame({"customer": ["a", "b"], "sku": [7, 8], "quantity": [1, 2]})
    orders.write_delta(tmp_path / "orders")
    events = ft.read_events(tmp_path / "orders", columns={"user_id": "customer", "item_id": "sku"})
    assert [(event.user_id, event.item_id, event.type, event.value) for event in events] == [
        ("a", "7", "purchase", 1.0),
        ("b", "8", "purchase", 2.0),
    ]


def test_an_empty_archive_has_no_events(tmp_path):
    DeltaEventArchive(tmp_path / "archive").last_seq()
    assert len(ft.read_events(tmp_path / "archive")) == 0


def test_a_place_without_a_table_is_said_to_have_none(tmp_path):
    with pytest.raises(NotFoundError, match="no Delta table"):
        ft.read_events(f"delta://{tmp_path}/nowhere")


def test_numbers_far_apart_are_read_too(tmp_path):
    archive = DeltaEventArchive(tmp_path)
    events = [(seq, event) for seq, (_, event) in zip((5, 2_999_999, 7_000_001), numbered(1, 4), strict=True)]
    appended(archive, events)
    assert list(ft.read_events(tmp_path)) == [event for _, event in events]
    assert frame_of(events)["seq"].to_list() == [5, 2_999_999, 7_000_001]


def test_a_model_learnt_from_the_archive_is_bit_for_bit_that_of_the_log(tmp_path):
    data = ft.datasets.synthetic(n_users=40, n_items=30, n_events=900, seed=5).events
    shuffled = data.frame.sample(fraction=1.0, shuffle=True, seed=3)
    contexts = pl.Series([f'{{"device":"{("phone", "desktop")[n % 2]}"}}' for n in range(len(shuffled))])
    source = Events(shuffled.with_columns(context=contexts), data.items)
    settings = Settings(effort="quick")
    with ft.Recommender.train(source, settings=settings) as first:
        ArchiveTask(first.home.log, DeltaEventArchive(tmp_path), batch=100).flush()
        again = ft.read_events(tmp_path, items=data.items)
        with ft.Recommender.train(again, settings=settings) as second:
            assert_same_corpus(first.home, second.home)
            assert first.report.scores == second.report.scores
            for user in ("u1", "u7", "u40"):
                one, other = (
                    rec.recommend(user, 10, now=data.quantile(1.0), seed=1) for rec in (first, second)
                )
                assert [(item.item_id, item.score) for item in one] == [
                    (item.item_id, item.score) for item in other
                ]


def assert_same_corpus(one, other):
    corpora = [read_corpus(home.log, home.id_map, home.catalog_columns) for home in (one, other)]
    for field in ("seq", "user", "item", "type", "time", "key", "value"):
        first, second = (getattr(corpus.events, field) for corpus in corpora)
        assert np.array_equal(first, second, equal_nan=field == "value"), field
    assert corpora[0].item_names == corpora[1].item_names
    assert list(one.log.contexts(0)) == list(other.log.contexts(0)) != []


def test_a_log_and_its_archive_hold_the_same_whole_events(archive, tmp_path):
    with home_in_memory() as home:
        for piece in ft.read_events(tmp_path / "archive").chunks(30):
            home.log.submit(piece).result()
        assert home.log.events(0, 1000) == archive.read(0, 1000)
