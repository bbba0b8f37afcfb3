"""Contexts of events on their way to training: bounded, counted, and where they belong."""

import numpy as np

from foretaste.adapters.memory.event_log import MemoryEventLog
from foretaste.domain.circumstances import Circumstances, circumstances_of, known_at
from foretaste.domain.event import Event
from foretaste.domain.interactions import Interactions
from foretaste.models.circumstance_kinds import MOST_CELLS, kinds_of
from foretaste.training.contexts import Moments, contexts_of


def log_of(*contexts):
    """Return a log with one event for each context, of two people in turn, a second apart."""
    log = MemoryEventLog()
    log.submit(
        [
            Event(
                event_id=str(number),
                user_id=f"u{number % 2}",
                item_id="i",
                type="click",
                timestamp=number * 1_000_000,
                context=context,
            )
            for number, context in enumerate(contexts)
        ]
    ).result()
    return log


def read(log):
    return contexts_of(log, log.read(0, 10**6).seq)


def test_each_event_keeps_what_it_said():
    told, dropped = read(log_of({"device": "Phone", "page": "start"}, {}, {"device": "desktop"}))
    assert [told.of(place) for place in range(4)] == [
        ("device=phone", "page=start"),
        (),
        ("device=desktop",),
        (),
    ]
    assert dropped == 0


def test_what_came_after_the_events_read_is_left_alone():
    told, _ = contexts_of(log_of({"device": "phone"}, {"device": "desktop"}), np.array([1], np.int64))
    assert told.names == ("device=phone",)


def test_the_most_frequent_values_of_a_key_are_kept_and_the_others_counted():
    rare = [{"visit": str(number)} for number in range(300)]
    told, dropped = read(log_of(*rare, {"visit": "299"}))
    assert len(told.names) == 256
    assert "visit=299" in told.names
    assert dropped == 300 - 256


def test_only_so_many_keys_are_told_apart():
    told, dropped = read(log_of(*({f"key-{number}": "x"} for number in range(70))))
    assert len(told.names) == 64
    assert dropped == 6


def test_the_clock_tells_the_hour_not_the_client():
    told, dropped = read(log_of({"hour": "12", "device": "phone"}))
    assert told.names == ("device=phone",)
    assert dropped == 1


def test_what_the_item_that_was_taken_is_about_is_nothing_that_was_known_before():
    told, dropped = read(log_of({"topics": "Crime|Snow", "device": "phone"}, {"topics": "Crime"}))
    assert told.names == ("device=phone",)
    assert dropped == 0


def test_a_moment_is_found_by_person_and_time():
    log = log_of({"device": "phone"}, {"device": "desktop"}, {})
    moments = Moments(log.read(0, 10), read(log)[0])
    assert moments.of(0, 0) == ("device=phone",)
    assert moments.of(1, 1_000_000) == ("device=desktop",)
    assert moments.of(0, 2_000_000) == moments.of(1, 0) == moments.of(-1, 0) == ()


def test_what_the_moment_says_goes_before_what_is_known_of_the_person():
    assert known_at(("country=japan",), ("age=20", "country=france")) == ("country=japan", "age=20")
    assert known_at((), ("age=20",)) == ("age=20",)


def a_window(contexts, n_items=3):
    n = len(contexts.start) - 1
    return Interactions(
        user=np.zeros(n, np.int32),
        item=np.zeros(n, np.int32),
        weight=np.ones(n, np.float32),
        time=np.arange(n),
        n_users=1,
        n_items=n_items,
        circumstances=circumstances_of([{"country": "France"}]),
        contexts=contexts,
    )


def rows_of(*names):
    every = tuple(sorted({name for row in names for name in row}))
    code = [every.index(name) for row in names for name in row]
    return Circumstances(every, np.cumsum([0, *map(len, names)], dtype=np.int64), np.array(code, np.int32))


def test_an_interaction_comes_under_what_it_said_else_under_what_is_known_of_its_person():
    found = kinds_of(a_window(rows_of(("country=japan",), (), ("device=phone",))))
    country = found["country"]
    assert [country.names[code] for code in country.code] == [
        "country=japan",
        "country=france",
        "country=france",
    ]
    assert found["device"].code.tolist() == [1, 1, 0]


def test_in_a_huge_catalog_the_rarest_circumstances_are_left_out():
    contexts = rows_of(("device=phone",), ("device=phone",), ("device=desktop",), ("page=start",))
    found = kinds_of(a_window(contexts, n_items=MOST_CELLS // 2))
    assert found["country"].names == ("country=france",)
    assert found["device"].names == ("device=phone",)
    assert found["device"].code.tolist() == [0, 0, 1, 1]
    assert "page" not in found
