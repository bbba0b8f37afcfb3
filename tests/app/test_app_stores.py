"""The stores of a home: restarts, snapshots, readers beside the writer."""

import threading
import time
from contextlib import contextmanager
from itertools import pairwise

import pytest

from foretaste.adapters.files.snapshot_file import read_snapshot
from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.app import datasets
from foretaste.app import keeper as app_keeper
from foretaste.app import stores as app_stores
from foretaste.app.importing import import_events
from foretaste.app.keeper import StateKeeper
from foretaste.app.settings import Settings
from foretaste.app.stores import SNAPSHOT, stores_for_reading, stores_in, stores_in_memory
from foretaste.domain.clock import MICROS_PER_DAY
from foretaste.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from foretaste.domain.event import Event
from foretaste.domain.item import Item
from foretaste.testing.contracts.exposure_log import NOW, an_exposure

SETTINGS = Settings()
SECONDS = 30.0


def events(n=500, seed=1):
    return datasets.synthetic(n_users=20, n_items=15, n_events=n, seed=seed).events


def filled(directory, settings=SETTINGS, n=500, seed=1):
    """Return the fingerprint of the state after `n` events went in and the stores were closed."""
    stores = stores_in(directory, settings)
    import_events(stores.log, events(n, seed).chunks(100))
    fingerprint = stores.keeper.state.fingerprint()
    stores.close()
    return fingerprint


def reopened(directory, settings=SETTINGS):
    stores = stores_in(directory, settings)
    fingerprint = stores.keeper.state.fingerprint()
    stores.close()
    return fingerprint


def late_click(number):
    return Event(
        event_id=f"late-{number}", user_id="u1", item_id="i1", type="click", timestamp=1_800_000_000_000_000
    )


def test_a_restart_keeps_everything(tmp_path):
    before = filled(tmp_path)
    assert (tmp_path / SNAPSHOT).is_file()
    assert reopened(tmp_path) == before


def test_without_its_snapshot_the_state_is_folded_from_the_log(tmp_path):
    before = filled(tmp_path)
    (tmp_path / SNAPSHOT).unlink()
    assert reopened(tmp_path) == before


def test_the_snapshot_is_read_while_the_log_is_opened(tmp_path, monkeypatch):
    before = filled(tmp_path)
    is_read = threading.Event()

    def read(path):
        try:
            return read_snapshot(path)
        finally:
            is_read.set()

    def opened(*given, **options):
        assert is_read.wait(SECONDS)
        return SqliteEventLog(*given, **options)

    monkeypatch.setattr(app_keeper, "read_snapshot", read)
    monkeypatch.setattr(app_stores, "SqliteEventLog", opened)
    assert reopened(tmp_path) == before


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-9], lambda whole: whole[:-9] + b"x" * 9, lambda _: b""]
)
def test_a_damaged_snapshot_is_not_believed(tmp_path, damage):
    before = filled(tmp_path)
    snapshot = tmp_path / SNAPSHOT
    snapshot.write_bytes(damage(snapshot.read_bytes()))
    assert reopened(tmp_path) == before


def test_a_snapshot_of_another_log_is_not_believed(tmp_path):
    filled(tmp_path / "one", seed=1)
    before = filled(tmp_path / "two", seed=2)
    (tmp_path / "one" / SNAPSHOT).replace(tmp_path / "two" / SNAPSHOT)
    assert reopened(tmp_path / "two") == before


def test_a_snapshot_of_other_settings_is_not_believed(tmp_path):
    filled(tmp_path)
    other = Settings(weights={"click": 0.1})
    assert reopened(tmp_path, other) == filled(tmp_path / "fresh", other)


def test_the_tail_after_the_snapshot_is_folded_too(tmp_path):
    filled(tmp_path)
    old = (tmp_path / SNAPSHOT).read_bytes()
    stores = stores_in(tmp_path, SETTINGS)
    stores.log.submit([late_click(1)]).result()
    after = stores.keeper.state.fingerprint()
    stores.close()
    (tmp_path / SNAPSHOT).write_bytes(old)
    assert reopened(tmp_path) == after


def test_snapshots_are_written_while_events_come(tmp_path):
    stores = stores_in(tmp_path, Settings(snapshot_events=100))
    import_events(stores.log, events().chunks(100))
    stores.keeper.save(stores.log)
    assert (tmp_path / SNAPSHOT).is_file()
    stores.close()


def test_a_snapshot_is_due_after_so_many_events_and_after_an_eighth_of_a_long_log(tmp_path):
    stores = stores_in(tmp_path, Settings(snapshot_events=10))
    assert [stores.keeper.is_due(seq) for seq in (9, 10)] == [False, True]
    import_events(stores.log, events().chunks(500))
    stores.keeper.save(stores.log)
    assert [stores.keeper.is_due(seq) for seq in (561, 562)] == [False, True]
    stores.close()


def test_snapshots_take_no_more_than_a_tenth_of_the_time(tmp_path):
    took, begun = 0.02, []

    @contextmanager
    def slowly():
        begun.append(time.monotonic())
        time.sleep(took)
        yield False

    stores = stores_in(tmp_path, SETTINGS)
    import_events(stores.log, events(60).chunks(60))
    keeper = StateKeeper(stores.keeper.state, tmp_path / "other", snapshot_events=1, saving=slowly)
    keeper.watch(stores.log)
    for seq in range(60):
        keeper.fold(stores.log.read(seq, 1))
        time.sleep(0.01)
    keeper.close(stores.log)
    stores.close()
    assert len(begun) >= 2
    assert all(later - earlier >= 10 * took for earlier, later in pairwise(begun[:-1]))


def test_what_a_snapshot_took_for_a_moment_goes_back_to_the_system(tmp_path, monkeypatch):
    given_back = threading.Event()
    monkeypatch.setattr("foretaste.app.keeper.give_back_freed", given_back.set)
    stores = stores_in(tmp_path, Settings(snapshot_events=100))
    import_events(stores.log, events().chunks(100))
    assert given_back.wait(SECONDS)
    stores.close()


def test_readers_see_what_was_committed_when_they_opened(tmp_path):
    writer = stores_in(tmp_path, SETTINGS)
    import_events(writer.log, events().chunks(100))
    reader = stores_for_reading(tmp_path, SETTINGS)
    writer.log.submit([late_click(1)]).result()
    writer.catalog.put([Item(item_id="new")])
    assert reader.keeper.state.seq == reader.log.last_seq() == 500
    assert len(reader.log.read(490, 100)) == 10
    assert reader.catalog.changes(0) == []
    assert reader.id_map.names("user") == writer.id_map.names("user")
    reader.close()
    writer.close()


def test_readers_cannot_write(tmp_path):
    filled(tmp_path)
    reader = stores_for_reading(tmp_path, SETTINGS)
    with pytest.raises(UnavailableError, match="reading only"):
        reader.log.submit([late_click(1)])
    with pytest.raises(UnavailableError, match="reading only"):
        reader.catalog.put([Item(item_id="new")])
    reader.close()


def test_there_is_one_writer(tmp_path):
    writer = stores_in(tmp_path, SETTINGS)
    with pytest.raises(UnavailableError, match="in use by process"):
        stores_in(tmp_path, SETTINGS)
    writer.close()


def test_reading_where_nothing_is_says_how_to_begin(tmp_path):
    with pytest.raises(NotFoundError, match="foretaste ingest"):
        stores_for_reading(tmp_path, SETTINGS)


def test_namespaces_in_one_home_do_not_meet(tmp_path):
    filled(tmp_path)
    assert reopened(tmp_path, Settings(namespace="other")) != reopened(tmp_path)


def test_memory_keeps_the_same_state_as_the_directory(tmp_path):
    stores = stores_in_memory(SETTINGS)
    import_events(stores.log, events().chunks(100))
    assert stores.keeper.state.fingerprint() == filled(tmp_path)
    stores.close()


def test_settings_that_the_state_cannot_have_are_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="half_lives"):
        stores_in(tmp_path, Settings(half_lives=(1.0,)))


def test_what_was_shown_is_kept_in_memory_as_long_as_the_setting_says():
    stores = stores_in_memory(Settings(exposure_days=1.0))
    for name, days in (("old", 0), ("young", 2)):
        stores.exposures.record(an_exposure(name, time=NOW + days * MICROS_PER_DAY))
    stores.exposures.flush()
    assert [record.recommendation_id for record in stores.exposures.read()] == ["young"]
    stores.close()
