"""The promises of `ports.event_archive.EventArchive`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Protocol

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.errors import NotFoundError
from foretaste.domain.event import Event
from foretaste.ports.event_archive import AsOf, EventArchive, Numbered
from foretaste.testing.contracts.event_log import EVERYTHING, an_event

DAY = 86_400 * MICROS_PER_SECOND
LONG = timedelta(days=365)


class ArchiveSite(Protocol):
    """Where an archive lives."""

    def open(self) -> EventArchive:
        """Open the archive, as often as wanted; empty at first."""
        ...

    def after_crash(self) -> EventArchive:
        """Return what another process would find if this one were killed at this moment."""
        ...


def numbered(start: int, stop: int, **changes: object) -> list[Numbered]:
    """Return the events with numbers from `start` to before `stop`, four a day, one in seven late."""
    return [
        (
            n,
            an_event(
                n,
                timestamp=(1_700_000_000 * MICROS_PER_SECOND + n * DAY // 4 - (n % 7 == 0) * 5 * DAY),
                **changes,
            ),
        )
        for n in range(start, stop)
    ]


def appended(archive: EventArchive, *batches: Sequence[Numbered]) -> None:
    """Append batches one after another."""
    for batch in batches:
        assert archive.append(archive.last_seq(), batch)


def everything(archive: EventArchive, as_of: AsOf | None = None) -> list[Numbered]:
    """Return all events of an archive."""
    return archive.read(0, EVERYTHING, as_of=as_of)


class EventArchiveContract:
    """Subclass it with a fixture `site` that gives an `ArchiveSite`."""

    def test_an_empty_archive_has_nothing(self, site: ArchiveSite) -> None:
        archive = site.open()
        assert archive.last_seq() == 0
        assert everything(archive) == []
        assert archive.compact() == 0

    def test_events_come_back_in_the_order_of_the_log(self, site: ArchiveSite) -> None:
        archive = site.open()
        batches = numbered(1, 40), numbered(40, 41), numbered(41, 100)
        appended(archive, *batches)
        assert everything(archive) == [event for batch in batches for event in batch]
        assert archive.last_seq() == 99

    def test_an_event_comes_back_whole(self, site: ArchiveSite) -> None:
        archive = site.open()
        full = Event(
            event_id="🦊/ id",
            user_id="user 'x'; -- ünï",
            item_id="日本/語",
            type="click",
            timestamp=0,
            value=0.1,
            session_id="s",
            recommendation_id="r",
            context={"device": "phone 📱", "hour": "12"},
        )
        plain = Event(event_id="2", user_id=" ", item_id="i", type="view", timestamp=9_999_999_999_999_999)
        appended(archive, [(1, full), (2, plain)])
        assert everything(archive) == [(1, full), (2, plain)]

    def test_holes_in_the_log_are_holes_in_the_archive(self, site: ArchiveSite) -> None:
        archive = site.open()
        kept = [event for event in numbered(1, 50) if event[0] % 3]
        appended(archive, kept[:10], kept[10:])
        assert everything(archive) == kept

    def test_reading_goes_on_from_any_number(self, site: ArchiveSite) -> None:
        archive = site.open()
        appended(archive, numbered(1, 30), numbered(30, 60))
        assert archive.read(25, 10) == numbered(26, 36)
        assert archive.read(59, 10) == []
        assert archive.read(0, 0) == []

    def test_a_batch_that_does_not_follow_the_last_event_is_not_written(self, site: ArchiveSite) -> None:
        archive = site.open()
        appended(archive, numbered(1, 10))
        assert not archive.append(0, numbered(1, 10))
        assert not archive.append(4, numbered(5, 20))
        assert not archive.append(20, numbered(21, 30))
        assert everything(archive) == numbered(1, 10)
        assert archive.append(9, numbered(10, 20))

    def test_of_two_archivers_one_writes_a_batch(self, site: ArchiveSite) -> None:
        one, other = site.open(), site.open()
        assert one.append(0, numbered(1, 10))
        assert not other.append(0, numbered(1, 12))
        assert other.append(9, numbered(10, 20))
        assert one.last_seq() == other.last_seq() == 19
        assert everything(one) == everything(other) == numbered(1, 20)

    def test_archivers_at_the_same_time_write_each_event_once(self, site: ArchiveSite) -> None:
        size, end = 5, 61

        def work(archive: EventArchive) -> None:
            while (after := archive.last_seq()) < end - 1:
                archive.append(after, numbered(after + 1, min(after + 1 + size, end)))

        threads = [Thread(target=work, args=(site.open(),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert everything(site.open()) == numbered(1, end)

    def test_what_was_written_survives_a_crash(self, site: ArchiveSite) -> None:
        archive = site.open()
        appended(archive, numbered(1, 10))
        assert everything(site.after_crash()) == numbered(1, 10)
        appended(archive, numbered(10, 20))
        left = site.after_crash()
        assert (left.last_seq(), everything(left)) == (19, numbered(1, 20))

    def test_a_past_version_is_read_as_it_was(self, site: ArchiveSite) -> None:
        archive = site.open()
        numbers = [archive.versions()[-1].number]
        for start in (1, 11, 21):
            appended(archive, numbered(start, start + 10))
            numbers.append(archive.versions()[-1].number)
        assert [everything(archive, as_of=number) for number in numbers] == [
            numbered(1, stop) for stop in (1, 11, 21, 31)
        ]

    def test_a_past_moment_is_read_as_it_was(self, site: ArchiveSite) -> None:
        archive = site.open()
        appended(archive, numbered(1, 11))
        written = archive.versions()[-1].time
        while datetime.now(UTC).timestamp() * MICROS_PER_SECOND < written + 20_000:
            pass
        appended(archive, numbered(11, 21))
        between = datetime.fromtimestamp((written + 10_000) / MICROS_PER_SECOND, UTC)
        assert everything(archive, as_of=between) == numbered(1, 11)
        assert everything(archive, as_of=datetime.now(UTC) + LONG) == numbered(1, 21)

    def test_a_version_that_never_was_is_said_to_be_none(self, site: ArchiveSite) -> None:
        archive = site.open()
        appended(archive, numbered(1, 11))
        for nowhere in (99, datetime(2001, 1, 1, tzinfo=UTC)):
            try:
                everything(archive, as_of=nowhere)
            except NotFoundError:
                continue
            raise AssertionError(f"{nowhere} was read")

    def test_compaction_changes_no_event(self, site: ArchiveSite) -> None:
        archive = site.open()
        appended(archive, *(numbered(start, start + 4) for start in range(1, 41, 4)))
        archive.compact()
        assert everything(archive) == numbered(1, 41)
        assert archive.last_seq() == 40
        assert not archive.append(0, numbered(1, 5))
        assert archive.append(40, numbered(41, 45))

    def test_pruning_keeps_the_present_and_the_versions_asked_for(self, site: ArchiveSite) -> None:
        archive = site.open()
        appended(archive, *(numbered(start, start + 4) for start in range(1, 41, 4)))
        past = archive.versions()[-1].number
        archive.compact()
        archive.prune(LONG)
        assert everything(archive, as_of=past) == numbered(1, 41)
        archive.prune(timedelta(0))
        assert everything(archive) == numbered(1, 41)
        assert archive.append(40, numbered(41, 45))
