"""The promises of `ports.event_log.EventLog`."""

from collections.abc import Sequence
from threading import Event as Signal
from threading import Thread

import numpy as np

from foretaste.domain.errors import InvalidInputError, UnavailableError
from foretaste.domain.event import Event, EventColumns
from foretaste.events.identity import event_key
from foretaste.ports.event_log import EventLog
from foretaste.testing.sites import Stores, StoreSite

SECONDS = 30.0
EVERYTHING = 10**9


def an_event(number: int, **changes: object) -> Event:
    """Return the event with this number: five users, seven items, one event per second."""
    fields: dict[str, object] = {
        "event_id": f"event-{number}",
        "user_id": f"user-{number % 5}",
        "item_id": f"item-{number % 7}",
        "type": ("view", "click", "purchase")[number % 3],
        "timestamp": 1_700_000_000_000_000 + number * 1_000_000,
    }
    return Event(**(fields | changes))  # type: ignore[arg-type] # fields of mixed types, checked by the tests


def events(start: int, stop: int) -> list[Event]:
    """Return the events with numbers from `start` to before `stop`."""
    return [an_event(number) for number in range(start, stop)]


def submitted(log: EventLog, batch: Sequence[Event]) -> list[tuple[str, str, int]]:
    """Submit a batch, wait, and return (event id, status, seq) of each event."""
    outcomes = log.submit(batch).result(SECONDS)
    return [(outcome.event_id, outcome.status, outcome.seq) for outcome in outcomes]


def told(stores: Stores, columns: EventColumns) -> list[tuple[int, str, str, str, int, int]]:
    """Return columns as (seq, user id, item id, type, time, key), the ordinals looked up in the id map."""
    users, items, types = (stores.id_map.names(kind) for kind in ("user", "item", "type"))
    return [
        (seq, users[user], items[item], types[kind], time, key)
        for seq, user, item, kind, time, key in zip(
            columns.seq.tolist(),
            columns.user.tolist(),
            columns.item.tolist(),
            columns.type.tolist(),
            columns.time.tolist(),
            columns.key.tolist(),
            strict=True,
        )
    ]


def expected(batch: Sequence[Event], first_seq: int = 1) -> list[tuple[int, str, str, str, int, int]]:
    """Return what `told` gives for events that were accepted one after another."""
    return [
        (seq, event.user_id, event.item_id, event.type, event.timestamp, event_key(event.event_id))
        for seq, event in enumerate(batch, first_seq)
    ]


class EventLogContract:
    """Subclass it with a fixture `site` that gives a `StoreSite`."""

    def test_an_empty_log_has_nothing(self, site: StoreSite) -> None:
        stores = site.open()
        assert stores.log.last_seq() == 0
        assert len(stores.log.read(0, 10)) == 0
        assert len(stores.log.window(0, 2**62)) == 0
        assert stores.log.of_user("nobody", 10) == []
        assert submitted(stores.log, []) == []

    def test_events_are_numbered_from_one_in_the_order_given(self, site: StoreSite) -> None:
        stores = site.open()
        batch = events(0, 50)
        assert submitted(stores.log, batch) == [
            (event.event_id, "accepted", seq) for seq, event in enumerate(batch, 1)
        ]
        assert stores.log.last_seq() == 50
        assert told(stores, stores.log.read(0, EVERYTHING)) == expected(batch)

    def test_all_of_a_large_batch_is_stored(self, site: StoreSite) -> None:
        stores = site.open()
        batch = events(0, 3001)
        submitted(stores.log, batch)
        assert told(stores, stores.log.read(0, EVERYTHING)) == expected(batch)

    def test_values_and_their_absence_come_back(self, site: StoreSite) -> None:
        stores = site.open()
        given = (4.5, None, -1.0)
        submitted(stores.log, [an_event(number, value=value) for number, value in enumerate(given)])
        stored = stores.log.read(0, 10).value
        assert stored.dtype == np.float32
        assert np.array_equal(stored, [4.5, np.nan, -1.0], equal_nan=True)

    def test_an_acknowledged_event_survives_a_crash(self, site: StoreSite) -> None:
        stores = site.open()
        for number in range(5):
            submitted(stores.log, events(number * 10, number * 10 + 10))
            left = site.after_crash()
            assert told(left, left.log.read(0, EVERYTHING)) == expected(events(0, number * 10 + 10))

    def test_an_event_id_counts_once_within_a_batch(self, site: StoreSite) -> None:
        log = site.open().log
        twice = [an_event(0), an_event(1), an_event(0, item_id="other")]
        assert submitted(log, twice) == [
            ("event-0", "accepted", 1),
            ("event-1", "accepted", 2),
            ("event-0", "duplicate", 1),
        ]
        assert log.last_seq() == len(log.read(0, 10)) == 2

    def test_an_event_id_counts_once_across_batches(self, site: StoreSite) -> None:
        log = site.open().log
        submitted(log, events(0, 10))
        again = submitted(log, events(5, 15))
        assert [outcome[1:] for outcome in again] == [("duplicate", seq) for seq in range(6, 11)] + [
            ("accepted", seq) for seq in range(11, 16)
        ]
        assert len(log.read(0, 100)) == 15

    def test_an_event_id_counts_once_across_a_crash(self, site: StoreSite) -> None:
        submitted(site.open().log, events(0, 10))
        left = site.after_crash().log
        assert submitted(left, events(0, 10)) == [(f"event-{n}", "duplicate", n + 1) for n in range(10)]
        assert submitted(left, events(10, 11)) == [("event-10", "accepted", 11)]

    def test_an_event_id_counts_once_among_writers_at_the_same_time(self, site: StoreSite) -> None:
        log = site.open().log
        outcomes: list[tuple[str, str, int]] = []

        def retry() -> None:
            for number in range(0, 100, 5):
                outcomes.extend(submitted(log, events(number, number + 5)))

        _together([Thread(target=retry) for _ in range(4)])
        accepted = [(event_id, seq) for event_id, status, seq in outcomes if status == "accepted"]
        assert len(accepted) == len({event_id for event_id, _ in accepted}) == log.last_seq() == 100
        assert {(event_id, seq) for event_id, _, seq in outcomes} == set(accepted)

    def test_a_reader_that_goes_on_misses_nothing_and_sees_nothing_twice(self, site: StoreSite) -> None:
        stores = site.open()
        batch = events(0, 100)
        submitted(stores.log, batch)
        seen: list[tuple[int, str, str, str, int, int]] = []
        after = 0
        for limit in (1, 2, 30, 7, 50, 60, 10):
            columns = stores.log.read(after, limit)
            assert columns.previous_seq == after
            assert len(columns) <= limit
            seen += told(stores, columns)
            after = columns.last_seq
        assert seen == expected(batch)
        assert after == 100

    def test_the_order_is_that_of_arrival_whatever_the_timestamps_say(self, site: StoreSite) -> None:
        stores = site.open()
        late = list(reversed(events(0, 20)))
        submitted(stores.log, late)
        assert told(stores, stores.log.read(0, 100)) == expected(late)

    def test_a_batch_is_visible_as_a_whole_or_not_at_all(self, site: StoreSite) -> None:
        partial: list[int] = []
        stores = site.open(lambda columns: partial.append(len(columns)) if len(columns) % 7 else None)
        _together([Thread(target=_submit_all, args=(stores.log, n, n + 140, 7)) for n in (0, 140, 280)])
        assert partial == []
        assert stores.log.last_seq() == 420

    def test_subscribers_know_the_events_before_the_sender_is_told(self, site: StoreSite) -> None:
        heard: list[EventColumns] = []
        stores = site.open(heard.append)
        for number in range(10):
            submitted(stores.log, events(number * 3, number * 3 + 3))
            assert sum(len(columns) for columns in heard) == number * 3 + 3

    def test_subscribers_hear_the_log_in_order_and_once(self, site: StoreSite) -> None:
        heard: list[EventColumns] = []
        stores = site.open(heard.append)
        _together([Thread(target=_submit_all, args=(stores.log, n, 200, 4)) for n in (0, 100, 40)])
        follows = 0
        for columns in heard:
            assert columns.previous_seq == follows
            follows = columns.last_seq
        read = told(stores, stores.log.read(0, EVERYTHING))
        assert [row for columns in heard for row in told(stores, columns)] == read
        assert len(read) == 200

    def test_readers_are_not_held_up_by_a_subscriber(self, site: StoreSite) -> None:
        reached, released = Signal(), Signal()

        def slow(_: EventColumns) -> None:
            reached.set()
            released.wait(SECONDS)

        log = site.open(slow).log
        sender = Thread(target=submitted, args=(log, events(0, 5)))
        sender.start()
        reached.wait(SECONDS)
        found: list[int] = []
        reader = Thread(target=lambda: found.append(len(log.read(0, 10)) + len(log.of_user("user-1", 10))))
        reader.start()
        reader.join(SECONDS / 10)
        released.set()
        assert found == [6]
        _finished(sender, reader)

    def test_a_window_takes_in_its_start_and_leaves_out_its_end(self, site: StoreSite) -> None:
        stores = site.open()
        batch = events(10, 20) + events(0, 10)
        submitted(stores.log, batch)
        start, end = an_event(5).timestamp, an_event(15).timestamp
        inside = [row for row in expected(batch) if start <= row[4] < end]
        assert told(stores, stores.log.window(start, end)) == inside
        assert len(inside) == 10

    def test_a_user_s_events_are_the_latest_by_time_then_id(self, site: StoreSite) -> None:
        log = site.open().log
        mine = [an_event(n, user_id="me", timestamp=1_000_000 * (n // 2)) for n in (7, 2, 9, 0, 4, 1, 8, 3)]
        submitted(log, [*mine[:4], *events(100, 120)])
        submitted(log, mine[4:])
        latest = sorted(mine, key=lambda event: (event.timestamp, event.event_id))
        assert log.of_user("me", 100) == latest
        assert log.of_user("me", 3) == latest[-3:]
        assert log.of_user("me", 0) == []
        assert log.of_user("someone else", 3) == []

    def test_an_event_comes_back_as_it_was(self, site: StoreSite) -> None:
        log = site.open().log
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
        plain = Event(
            event_id="2", user_id=full.user_id, item_id="i", type="view", timestamp=9_999_999_999_999_999
        )
        submitted(log, [full, plain])
        assert log.of_user(full.user_id, 2) == [full, plain]

    def test_whole_events_are_read_on_from_any_number(self, site: StoreSite) -> None:
        log = site.open().log
        batch = [
            an_event(
                n, value=n / 3, session_id=f"s{n}" if n % 2 else None, context={"n": str(n)} if n % 3 else {}
            )
            for n in range(20)
        ]
        submitted(log, batch[:7])
        submitted(log, batch[7:])
        assert log.events(0, EVERYTHING) == list(enumerate(batch, 1))
        assert log.events(5, 4) == list(enumerate(batch, 1))[5:9]
        assert log.events(20, 4) == []
        assert log.events(0, 0) == []

    def test_contexts_come_with_their_events_in_log_order(self, site: StoreSite) -> None:
        log = site.open().log
        said = [{"device": "phone"}, {}, {"device": "desktop", "page": "start 🏠"}, {}, {"device": "phone"}]
        batch = [an_event(number, context=context) for number, context in enumerate(said)]
        submitted(log, batch[:2])
        submitted(log, batch[2:])
        found = [(1, said[0]), (3, said[2]), (5, said[4])]
        assert [(seq, dict(context)) for seq, context in log.contexts(0)] == found
        assert [seq for seq, _ in log.contexts(1)] == [3, 5]
        assert list(log.contexts(5)) == []

    def test_how_far_streams_were_read_is_kept_by_stream(self, site: StoreSite) -> None:
        log = site.open().log
        assert log.reached("shop.events") == {}
        log.submit(events(0, 2), reached={"shop.events/0": 7, "shop.events/11": 3}).result(SECONDS)
        log.submit(events(2, 3), reached={"shop.events2/0": 9, "shop.events/x/0": 4}).result(SECONDS)
        assert log.reached("shop.events") == {"shop.events/0": 7, "shop.events/11": 3}
        assert log.reached("shop.events2") == {"shop.events2/0": 9}
        assert log.reached("shop.events/x") == {"shop.events/x/0": 4}
        assert log.reached("shop") == {}

    def test_a_stream_never_goes_back(self, site: StoreSite) -> None:
        log = site.open().log
        for offset in (5, 3, 5, 8, 0):
            log.submit([an_event(offset)], reached={"s/0": offset}).result(SECONDS)
        assert log.reached("s") == {"s/0": 8}

    def test_a_stream_goes_on_without_new_events(self, site: StoreSite) -> None:
        log = site.open().log
        log.submit(events(0, 1), reached={"s/0": 1}).result(SECONDS)
        log.submit(events(0, 1), reached={"s/0": 2}).result(SECONDS)
        assert log.reached("s") == {"s/0": 2}
        assert log.submit([], reached={"s/0": 3, "s/1": 0}).result(SECONDS) == []
        assert log.reached("s") == {"s/0": 3, "s/1": 0}
        assert log.last_seq() == 1

    def test_streams_and_events_survive_together(self, site: StoreSite) -> None:
        log = site.open().log
        for number in range(3):
            log.submit([an_event(number)], reached={"s/0": number + 1}).result(SECONDS)
            left = site.after_crash().log
            assert (left.last_seq(), left.reached("s")) == (number + 1, {"s/0": number + 1})

    def test_what_is_no_place_in_a_stream_is_refused_and_nothing_is_stored(self, site: StoreSite) -> None:
        log = site.open().log
        for name, offset in (("s", 1), ("/0", 1), ("s/", 1), ("s/0", -1), ("s/0", 2**63)):
            try:
                log.submit(events(0, 1), reached={name: offset}).result(SECONDS)
            except InvalidInputError:
                continue
            raise AssertionError(f"{name}: {offset} was accepted")
        assert log.last_seq() == 0
        assert log.reached("s") == {}

    def test_similar_ids_are_different_ids(self, site: StoreSite) -> None:
        stores = site.open()
        names = ["a", "A", "á", "a\u0301", " a", "a ", "1", "01", "1.0"]
        batch = [an_event(n, event_id=name, user_id=name, item_id=name) for n, name in enumerate(names)]
        assert [status for _, status, _ in submitted(stores.log, batch)] == ["accepted"] * len(names)
        assert told(stores, stores.log.read(0, 100)) == expected(batch)

    def test_a_closed_log_has_finished_and_takes_nothing_more(self, site: StoreSite) -> None:
        log = site.open().log
        pending = [log.submit([event]) for event in events(0, 50)]
        log.close()
        assert [future.result(SECONDS)[0].status for future in pending] == ["accepted"] * 50
        try:
            log.submit(events(50, 51))
        except UnavailableError:
            return
        raise AssertionError("a closed log accepted an event")


def _submit_all(log: EventLog, start: int, stop: int, size: int) -> None:
    for number in range(start, stop, size):
        submitted(log, events(number, number + size))


def _together(threads: Sequence[Thread]) -> None:
    for thread in threads:
        thread.start()
    _finished(*threads)


def _finished(*threads: Thread) -> None:
    for thread in threads:
        thread.join()
