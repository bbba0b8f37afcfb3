"""An acknowledged event is known on every replica, through the online store where that is believed."""

from contextlib import closing

import pytest
from live_shop import LIMITS, USERS, Replica, Shop

from foretaste.adapters.memory.online_store import MemoryOnlineStore
from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.memory.trust import MemoryTrust
from foretaste.adapters.redis.online_store import RedisOnlineStore
from foretaste.domain.errors import UnavailableError
from foretaste.domain.event import no_events
from foretaste.features.person import person_of
from foretaste.testing.contracts.online_store import assert_same_person
from foretaste.testing.waiting import until


@pytest.fixture(params=["memory", "server"])
def store(request):
    if request.param == "memory":
        yield MemoryOnlineStore(LIMITS)
        return
    url, namespace = request.getfixturevalue("redis_at")("valkey"), request.getfixturevalue("namespace")
    with closing(RedisOnlineStore(url, MemoryTelemetry(), limits=LIMITS, namespace=namespace)) as opened:
        yield opened


@pytest.fixture
def shop():
    return Shop(MemoryTrust())


@pytest.fixture
def replicas(shop, store):
    """Give two replicas that trust the store."""
    both = [Replica(shop, store), Replica(shop, store)]
    until(
        lambda: all(each.keeper.belief() for each in both), each=lambda: [each.watch.look() for each in both]
    )
    return both


def test_the_first_read_asks_the_log_later_ones_the_store_alone(shop, replicas):
    writer, reader = replicas
    seq = writer.write(0)
    writer.watch.look()
    reader.watch.look()
    first = reader.people.standing("anna")
    assert (first.head, first.source, shop.asked) == (seq, "log", 1)
    second = reader.people.standing("anna")
    assert (second.head, second.source, shop.asked) == (seq, "store", 1)
    again = writer.write(0)
    third = reader.people.standing("anna")
    assert (third.head, third.source, shop.asked) == (again, "store", 1)
    assert_same_person(third.record.person, person_of(writer.state, 0, LIMITS))


def test_a_replica_behind_the_head_catches_up_before_it_answers(replicas):
    writer, reader = replicas
    seq = writer.write(1)
    assert reader.state.seq < seq
    assert reader.people.catch_up("ben").head == seq
    assert reader.state.seq >= seq
    assert_same_person(person_of(reader.state, 1, LIMITS), person_of(writer.state, 1, LIMITS))


def test_somebody_without_events_stands_at_zero(replicas):
    standing = replicas[0].people.standing("nobody")
    assert (standing.head, standing.record, standing.source) == (0, None, "log")


def test_a_record_that_was_lost_is_rebuilt_and_confirmed_by_reading(store, replicas):
    writer, reader = replicas
    writer.write(2)
    store.delete(USERS)
    reader.catch_up()
    assert reader.people.standing(USERS[2]).record is None
    assert reader.people.standing(USERS[2]).record is not None
    reader.watch.look()
    for _ in range(2):
        standing = reader.people.standing(USERS[2])
    assert standing.source == "store"
    assert_same_person(standing.record.person, person_of(writer.state, 2, LIMITS))


def test_a_writer_rebuilds_what_has_a_gap_before_it_acknowledges(store, replicas):
    writer = replicas[0]
    writer.write(0)
    store.delete(USERS)
    seq = writer.write(0)
    assert store.get(["anna"]).records[0].as_of == seq
    assert writer.count("online_store_rebuilt_total") == 1.0
    assert_same_person(store.get(["anna"]).records[0].person, person_of(writer.state, 0, LIMITS))


def test_an_event_whose_sender_died_is_in_the_store_when_it_was_sent_again(shop, store, replicas):
    writer = replicas[0]
    writer.write(0)
    lost = shop.append(0)
    writer.catch_up()
    assert store.get(["anna"]).records[0].as_of < lost.last_seq
    nothing = no_events(lost.last_seq)
    writer.people.publish(nothing, nothing.seq, repeated={"anna": lost.last_seq})
    assert store.get(["anna"]).records[0].as_of >= lost.last_seq


def test_where_neither_the_store_nor_the_trust_record_answers_nothing_is_acknowledged(shop, replicas):
    writer = replicas[0]

    def away(*_):
        raise UnavailableError("away")

    writer.store.apply, shop.trust.read = away, away
    with pytest.raises(UnavailableError):
        writer.write(0)


def test_people_who_are_forgotten_are_gone(store, replicas):
    writer = replicas[0]
    writer.write(0)
    writer.people.forget(["anna"])
    assert store.get(["anna"]).records == (None,)
