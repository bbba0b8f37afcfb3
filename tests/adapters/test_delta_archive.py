"""Archives keep the promises of their port: a Delta table, and memory but for durability."""

import shutil
from datetime import UTC, date, datetime, timedelta

import msgspec
import polars as pl
import pytest
from deltalake import CommitProperties, DeltaTable, Field
from deltalake.schema import PrimitiveType

from foretaste.adapters.delta.event_archive import DeltaEventArchive
from foretaste.adapters.delta.table import open_table
from foretaste.adapters.memory.event_archive import MemoryEventArchive
from foretaste.domain.errors import CorruptDataError, InvalidInputError, NotFoundError, UnavailableError
from foretaste.testing.contracts.event_archive import EventArchiveContract, appended, everything, numbered


class DeltaSite:
    def __init__(self, folder, archive=DeltaEventArchive):
        self._folder, self._archive = folder, archive
        self._crashes = 0

    def open(self):
        return self._archive(self._folder / "archive")

    def after_crash(self):
        self._crashes += 1
        copy = self._folder / f"crash-{self._crashes}"
        shutil.copytree(self._folder / "archive", copy)
        return self._archive(copy)


class MemorySite:
    def __init__(self):
        self._archive = MemoryEventArchive()

    def open(self):
        return self._archive

    def after_crash(self):
        return MemoryEventArchive()


class TestDeltaEventArchive(EventArchiveContract):
    @pytest.fixture
    def site(self, tmp_path):
        return DeltaSite(tmp_path)


class TestMemoryEventArchive(EventArchiveContract):
    @pytest.fixture
    def site(self):
        return MemorySite()

    @pytest.mark.xfail(reason="memory ends with the process", strict=True, raises=AssertionError)
    def test_what_was_written_survives_a_crash(self, site):
        super().test_what_was_written_survives_a_crash(site)


class WithoutTransaction(DeltaEventArchive):
    """Looks at its own count of events and commits without saying so to the table."""

    _seen = 0

    def _reached(self, _):
        return self._seen

    def _mark(self, last_seq):
        self._seen = last_seq
        return CommitProperties()


@pytest.mark.parametrize(
    "promise", ["test_of_two_archivers_one_writes_a_batch", "test_what_was_written_survives_a_crash"]
)
def test_an_archive_without_application_transactions_breaks_its_promise(tmp_path, promise):
    with pytest.raises(AssertionError):
        getattr(EventArchiveContract(), promise)(DeltaSite(tmp_path, WithoutTransaction))


def test_files_are_partitioned_by_the_utc_day_of_the_events(tmp_path):
    archive = DeltaEventArchive(tmp_path)
    events = numbered(1, 30)
    appended(archive, events)
    days = {datetime.fromtimestamp(event.timestamp / 1e6, UTC).date().isoformat() for _, event in events}
    assert {folder.name for folder in tmp_path.glob("day=*")} == {f"day={day}" for day in days}
    for day in days:
        (path,) = tmp_path.glob(f"day={day}/*.parquet")
        times = pl.read_parquet(path)["timestamp"]
        assert times.dt.date().unique().to_list() == [datetime.fromisoformat(day).date()]


def test_compaction_leaves_one_file_a_day_and_pruning_only_those(tmp_path):
    archive = DeltaEventArchive(tmp_path)
    appended(archive, *(numbered(n, n + 1) for n in range(1, 25)))
    before = len(list(tmp_path.rglob("*.parquet")))
    replaced = archive.compact()
    days = len(list(tmp_path.glob("day=*")))
    files = DeltaTable(tmp_path).file_uris()
    assert (before, len(files)) == (24, days)
    assert replaced > 24 - days
    assert archive.prune(timedelta(days=7)) == 0
    assert archive.prune(timedelta(0)) == replaced
    assert len(list(tmp_path.rglob("day=*/*.parquet"))) == days


class Behind(DeltaEventArchive):
    """Compacts a table that others changed since it looked: `meanwhile` does."""

    def compact_while(self, meanwhile):
        def looked(place, as_of=None):
            table = open_table(place, as_of)
            meanwhile()
            return table

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("foretaste.adapters.delta.event_archive.open_table", looked)
            return self._joined(date(2023, 11, 17))


@pytest.fixture
def four_pieces_a_day(tmp_path):
    archive = Behind(tmp_path)
    appended(archive, *(numbered(n, n + 1) for n in range(1, 25)))
    return archive


def test_of_two_compactions_at_a_time_one_takes_place(tmp_path, four_pieces_a_day):
    other = DeltaEventArchive(tmp_path)
    once = iter([True])
    assert not four_pieces_a_day.compact_while(
        lambda: next(once, False) and other._joined(date(2023, 11, 17))
    )
    assert everything(other) == numbered(1, 25)
    assert DeltaTable(tmp_path).count() == 24


def test_a_late_event_that_comes_during_a_compaction_is_kept(tmp_path, four_pieces_a_day):
    other = DeltaEventArchive(tmp_path)
    (_, event), *_ = numbered(12, 13)
    late = (25, msgspec.structs.replace(event, event_id="late"))
    once = iter([True])
    assert not four_pieces_a_day.compact_while(lambda: next(once, False) and other.append(24, [late]))
    assert everything(other) == [*numbered(1, 25), late]


def test_events_of_other_days_do_not_hold_a_compaction_up(tmp_path, four_pieces_a_day):
    other = DeltaEventArchive(tmp_path)
    once = iter([True])
    assert four_pieces_a_day.compact_while(lambda: next(once, False) and other.append(24, numbered(25, 30)))
    assert everything(other) == numbered(1, 30)


def test_pruning_removes_what_a_killed_archiver_left_and_makes_old_versions_unreadable(tmp_path):
    archive = DeltaEventArchive(tmp_path)
    appended(archive, *(numbered(n, n + 1) for n in range(1, 25)))
    past = archive.versions()[-1].number
    archive.compact()
    left = next(tmp_path.glob("day=*")) / "part-00000-left-by-a-crash.parquet"
    left.write_bytes(b"half a file")
    archive.prune(timedelta(0))
    assert not left.exists()
    with pytest.raises(NotFoundError, match="pruned"):
        archive.read(0, 100, as_of=past)


def test_a_table_of_something_else_is_refused_and_left_alone(tmp_path):
    pl.DataFrame({"a": [1]}).write_delta(tmp_path)
    with pytest.raises(InvalidInputError, match="each namespace has an archive"):
        DeltaEventArchive(tmp_path).last_seq()
    assert DeltaTable(tmp_path).version() == 0


def test_each_namespace_has_a_table_of_its_own(tmp_path):
    appended(DeltaEventArchive(tmp_path, namespace="north"), numbered(1, 3))
    with pytest.raises(InvalidInputError, match="foretaste/south"):
        DeltaEventArchive(tmp_path, namespace="south").last_seq()


def test_a_table_with_another_schema_is_refused(tmp_path):
    DeltaEventArchive(tmp_path).last_seq()
    DeltaTable(tmp_path).alter.add_columns([Field("extra", PrimitiveType("string"))])
    with pytest.raises(InvalidInputError, match="other columns"):
        DeltaEventArchive(tmp_path).last_seq()


def test_a_damaged_table_is_said_to_be_damaged_and_left_alone(tmp_path):
    archive = DeltaEventArchive(tmp_path)
    appended(archive, numbered(1, 5))
    first = tmp_path / "_delta_log" / f"{0:020}.json"
    first.write_text("no commit")
    for damaged in (archive, DeltaEventArchive(tmp_path)):
        with pytest.raises(CorruptDataError, match=r"cannot be read[^\n]*$"):  # one line, no backtrace
            damaged.last_seq()
    assert first.read_text() == "no commit"


def test_a_store_that_is_away_is_said_to_be_away(monkeypatch):
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "nowhere",
        "OBJECT_STORE_MAX_RETRIES": "1",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UnavailableError, match="s3://bucket/archive cannot be used now"):
        DeltaEventArchive("s3://bucket/archive").last_seq()


def test_delta_urls_name_folders_and_a_url_without_a_place_is_refused(tmp_path):
    archive = DeltaEventArchive(f"delta://{tmp_path}")
    appended(archive, numbered(1, 5))
    assert (
        everything(DeltaEventArchive(tmp_path)) == everything(DeltaEventArchive(f"file://{tmp_path}")) != []
    )
    with pytest.raises(InvalidInputError, match="names no place"):
        DeltaEventArchive("delta://")
