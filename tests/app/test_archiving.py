"""The archive task: everything of the log, in pieces worth a file, in the archive of this log only."""

from datetime import timedelta

import msgspec
import pytest

from foretaste.adapters.files.sources import open_rows
from foretaste.adapters.memory.event_archive import MemoryEventArchive
from foretaste.adapters.memory.event_log import MemoryEventLog
from foretaste.adapters.memory.event_stream import (
    MemoryBroker,
    MemoryEventSink,
    MemoryEventSource,
    MemoryFencedSink,
)
from foretaste.app.archive_wiring import log_of_home, open_archive
from foretaste.app.archiving import ArchiveTask
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.app.worker_wiring import Streams, Topics, open_worker
from foretaste.domain import extras
from foretaste.domain.errors import CorruptDataError, InvalidInputError, MissingExtraError, NotFoundError
from foretaste.ports.event_stream import StreamMessage
from foretaste.testing.contracts.event_archive import everything
from foretaste.testing.contracts.event_log import events


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self):
        return self.now


def log_with(count, start=0):
    log = MemoryEventLog()
    log.submit(events(start, start + count)).result()
    return log


def in_order(count):
    return list(enumerate(events(0, count), 1))


def test_all_that_waits_is_archived_in_the_order_of_the_log():
    archive = MemoryEventArchive()
    task = ArchiveTask(log_with(25), archive, batch=10)
    assert task.flush() == 25
    assert everything(archive) == in_order(25)
    assert (task.flush(), task.waiting()) == (0, 0)


def test_an_archive_task_that_is_told_to_stop_leaves_the_rest_to_the_next_one():
    archive = MemoryEventArchive()
    task, asked = ArchiveTask(log_with(25), archive, batch=10), iter([False, True])
    assert task.flush(lambda: next(asked)) == 10
    assert ArchiveTask(log_with(25), archive, batch=10).flush() == 15
    assert everything(archive) == in_order(25)


def test_a_full_batch_is_archived_at_once():
    archive = MemoryEventArchive()
    task = ArchiveTask(log_with(10), archive, batch=10, clock=Clock())
    assert task.run_once() == 10
    assert everything(archive) == in_order(10)


def test_few_events_wait_for_company_but_not_for_ever():
    log, clock = log_with(3), Clock()
    task = ArchiveTask(log, MemoryEventArchive(), batch=10, patience=60.0, clock=clock)
    assert task.run_once() == 0
    clock.now = 59.0
    log.submit(events(3, 5)).result()
    assert task.run_once() == 0
    clock.now = 60.0
    assert task.run_once() == 5
    log.submit(events(5, 6)).result()
    clock.now = 61.0
    assert task.run_once() == 0


def test_the_archive_is_left_alone_while_events_wait():
    class Asked(MemoryEventArchive):
        times = 0

        def last_seq(self):
            self.times += 1
            return super().last_seq()

    archive, log = Asked(), log_with(3)
    task = ArchiveTask(log, archive, batch=10, clock=Clock())
    for _ in range(50):
        assert task.run_once() == 0
    assert archive.times == 1


def test_small_pieces_are_joined_now_and_then():
    class Counting(MemoryEventArchive):
        compactions = 0

        def compact(self, least=2):
            self.compactions += 1
            return super().compact(least)

    archive = Counting()
    ArchiveTask(log_with(50), archive, batch=5, compact_after=4).flush()
    assert archive.compactions == 2


def test_tasks_that_share_an_archive_archive_each_event_once():
    log, archive = log_with(30), MemoryEventArchive()
    first, second = (ArchiveTask(log, archive, batch=10) for _ in range(2))
    assert first.flush() + second.flush() == 30
    log.submit(events(30, 40)).result()
    assert second.flush() + first.flush() == 10
    assert everything(archive) == in_order(40)


def test_a_batch_that_another_archiver_was_faster_with_is_not_counted():
    log, archive = log_with(10), MemoryEventArchive()

    class Late:
        """Reads the log, and meanwhile another one archives."""

        def last_seq(self):
            return log.last_seq()

        def events(self, after, limit):
            ArchiveTask(log, archive).flush()
            return log.events(after, limit)

    assert ArchiveTask(Late(), archive).flush() == 0
    assert everything(archive) == in_order(10)


@pytest.mark.parametrize("other", [log_with(10, start=5), log_with(4)], ids=["different", "shorter"])
def test_the_archive_of_another_log_is_refused(other):
    archive = MemoryEventArchive()
    ArchiveTask(log_with(6), archive).flush()
    with pytest.raises(CorruptDataError, match="another log"):
        ArchiveTask(other, archive).flush()
    assert everything(archive) == in_order(6)


def test_a_home_is_archived_while_it_is_written(tmp_path):
    archive = open_archive(tmp_path / "archive", namespace="default")
    with open_home(tmp_path / "home", create=True) as home:
        home.log.submit(events(0, 5)).result()
        task = ArchiveTask(log_of_home(tmp_path / "home", Settings()), archive)
        assert task.flush() == 5
        home.log.submit(events(5, 8)).result()
        assert task.flush() == 3
    assert everything(archive) == in_order(8)
    assert task.prune(timedelta(days=1)) == 0


def test_a_home_that_is_none_and_an_archive_without_a_name_are_said_to_be_so(tmp_path):
    with pytest.raises(NotFoundError, match="--home"):
        log_of_home(tmp_path / "nowhere", Settings())
    with pytest.raises(InvalidInputError, match="FORETASTE_ARCHIVE_URL"):
        open_archive("", namespace="default")


def test_a_worker_archives_what_it_took_in(tmp_path):
    broker, place = MemoryBroker(), tmp_path / "archive"
    topics = Topics("shop.events", "shop.log", "shop.events.dead")
    streams = Streams(
        topics,
        lambda: None,
        lambda positions: MemoryEventSource(broker, topics.events, "group", positions),
        lambda topic: MemoryEventSink(broker, topic),
        lambda topic: MemoryFencedSink(broker, topic),
    )
    sent = [StreamMessage(value=msgspec.json.encode(event)) for event in events(0, 5)]
    MemoryEventSink(broker, topics.events).submit(sent).result()
    settings = Settings(archive_url=str(place))
    with open_home(tmp_path / "home", create=True, settings=settings) as home:
        with open_worker(home, streams) as worker:
            assert worker.run(until_empty=True) == 5
        assert everything(open_archive(place, namespace="default")) == home.log.events(0, 10)


@pytest.mark.parametrize(
    ("use", "setting"),
    [
        (lambda: open_archive("somewhere", namespace="default"), "archive_url"),
        (lambda: open_rows("s3://bucket/table"), "source"),
    ],
)
def test_a_missing_driver_is_named_with_the_install_command(monkeypatch, use, setting):
    def absent(_):
        raise ModuleNotFoundError(name="deltalake.table")

    monkeypatch.setattr(extras, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"pip install 'foretaste\[delta\]'") as raised:
        use()
    assert raised.value.field == setting


def test_a_module_of_our_own_that_is_missing_is_no_missing_driver(monkeypatch):
    def absent(_):
        raise ModuleNotFoundError(name="foretaste.adapters.delta.misspelt")

    monkeypatch.setattr(extras, "import_module", absent)
    with pytest.raises(ModuleNotFoundError):
        open_archive("somewhere", namespace="default")
