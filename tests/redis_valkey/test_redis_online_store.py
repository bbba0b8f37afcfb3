"""People's records in Redis and in Valkey keep the promises of their port."""

from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foretaste.adapters.memory.online_store import MemoryOnlineStore
from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.redis.connection import Connections
from foretaste.adapters.redis.online_store import RedisOnlineStore
from foretaste.adapters.redis.record_bytes import decoded, encoded
from foretaste.domain.errors import InvalidInputError, SequenceGapError
from foretaste.domain.event import EventColumns
from foretaste.features.person import PersonLimits, previous_seqs
from foretaste.testing.contracts.online_store import (
    USERS,
    OnlineStoreContract,
    People,
    assert_knows,
    assert_same_person,
    record_of,
)
from foretaste.testing.event_factories import EVENT_TYPES, random_events

SECOND = 1_000_000


@pytest.fixture
def make_redis_store(redis_url, namespace):
    with ExitStack() as opened:

        def make(limits, **how):
            store = RedisOnlineStore(redis_url, MemoryTelemetry(), limits=limits, namespace=namespace, **how)
            return opened.enter_context(closing(store))

        yield make


@pytest.fixture
def raw(redis_url):
    with redis.Redis.from_url(redis_url, protocol=2) as client:
        yield client


class TestMemory(OnlineStoreContract):
    @pytest.fixture
    def make_store(self):
        return MemoryOnlineStore


class TestServers(OnlineStoreContract):
    @pytest.fixture
    def make_store(self, make_redis_store):
        return make_redis_store


def test_memory_forgets_the_idle_and_those_past_its_bound():
    people, now = People(), [0.0]
    store = MemoryOnlineStore(people.limits, ttl_seconds=10.0, most=2, clock=lambda: now[0])
    store.apply(people.folded(random_events(0, 30, n_users=3)))
    assert sum(found is not None for found in store.get(USERS[:3]).records) == 2
    now[0] = 10.0
    assert store.get(USERS[:3]).records == (None, None, None)


@st.composite
def arrivals(draw):
    """Draw events, where batches end, and which batches come again, at once or later."""
    n_events = draw(st.integers(1, 60))
    events = random_events(
        draw(st.integers(0, 10_000)),
        n_events,
        n_users=draw(st.integers(1, 4)),
        n_items=draw(st.integers(1, 30)),
        span_seconds=draw(st.sampled_from([5, 3_600, 86_400 * 400])),
        in_order=draw(st.booleans()),
    )
    keys = np.random.default_rng(draw(st.integers(0, 100))).integers(-(2**63), 2**63 - 1, n_events)
    cuts = draw(st.sets(st.integers(0, n_events), max_size=12))
    return replace(events, key=keys), sorted({0, n_events, *cuts}), draw(st.randoms(use_true_random=False))


@given(arrivals(), st.integers(1, 9), st.sampled_from([3, 10_000]))
@settings(
    max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # each example has people and keys of its own
def test_records_equal_the_state_whatever_comes_again_or_is_missing(
    make_redis_store, arrived, length, most_rows
):
    events, cuts, random = arrived
    people = People(history_length=length, most_rows=most_rows)
    store = make_redis_store(people.limits)
    store.delete(USERS)
    batches = [people.folded(events.take(start, end)) for start, end in pairwise(cuts)]
    later = People(history_length=length, most_rows=most_rows)
    for place, batch in enumerate(batches):
        later.folded(events.take(cuts[place], cuts[place + 1]))
        if random.random() < 0.2:
            continue  # this one gets lost
        fates = store.apply(batch).fates
        gaps = [int(user) for user, fate in zip(people_of(batch), fates, strict=True) if fate == "gap"]
        store.put({USERS[user]: later.person(user) for user in gaps})
        store.apply(batches[random.randrange(place + 1)])
    present = np.unique(events.user).tolist()
    store.put({USERS[user]: people.person(user) for user in present})
    assert_knows(store, people, present)


def people_of(batch):
    return [USERS.index(user_id) for user_id in batch.user_ids]


@given(st.integers(0, 10_000), st.integers(0, 80), st.integers(1, 40))
@settings(max_examples=60)
def test_bytes_of_a_record_say_all_of_a_person(seed, n_events, n_items):
    people = People()
    people.folded(random_events(seed, n_events, n_users=1, n_items=n_items, in_order=False))
    record = decoded(encoded(people.person(0), b"sign", b"8 bytes.", 5), b"sign")
    assert (record.token, record.epoch, record.as_of) == (b"8 bytes.", 5, n_events)
    assert_same_person(record.person, people.person(0))


def test_bytes_of_other_limits_or_of_something_else_are_no_record():
    record = encoded(People().person(0), b"sign", b"8 bytes.")
    assert decoded(record, b"sing") is None
    assert decoded(record[:55], b"sign") is None
    assert decoded(record, b"sign") is not None


def test_weights_are_those_of_the_state_to_the_bit(make_redis_store):
    people = People()
    store = make_redis_store(people.limits)
    rated = EVENT_TYPES.index("rating")
    n = 40
    events = EventColumns(
        previous_seq=0,
        seq=np.arange(1, n + 1),
        user=np.zeros(n, np.int32),
        item=np.arange(n, dtype=np.int32),
        type=np.full(n, rated, np.int16),
        time=np.arange(n) * SECOND,
        key=np.arange(n),
        value=np.linspace(0, 5, n, dtype=np.float32),
    )
    store.apply(people.folded(events))
    kept = record_of(store, USERS[0]).person.history.weight
    assert kept.tobytes() == people.state.history(0).weight.tobytes()
    assert len(np.unique(kept)) == len(kept)


def test_scripts_that_the_server_forgot_are_sent_again(make_redis_store, raw):
    people = People()
    store = make_redis_store(people.limits)
    events = random_events(1, 60, n_users=5, n_items=4)
    for start in (0, 20, 40):
        raw.script_flush()
        assert set(store.apply(people.folded(events.take(start, start + 20))).fates) == {"applied"}
    raw.script_flush()
    tokens = store.put({USERS[0]: people.person(0)}).tokens
    raw.script_flush()
    assert store.confirm({USERS[0]: tokens[0]}, 2) == 1
    assert_knows(store, people, np.unique(events.user).tolist())


def test_the_idle_expire_and_activity_keeps(make_redis_store, raw):
    people = People()
    store = make_redis_store(people.limits, ttl_seconds=3600.0)
    events = random_events(2, 20, n_users=1)
    store.apply(people.folded(events.take(0, 10)))
    key = store.key(USERS[0])
    assert 3_590_000 < raw.pttl(key) <= 3_600_000
    raw.pexpire(key, 1000)
    store.apply(people.folded(events.take(10, 20)))
    assert raw.pttl(key) > 3_590_000
    raw.pexpire(key, 1000)
    (token,) = store.put({USERS[0]: people.person(0)}).tokens
    assert raw.pttl(key) > 3_590_000
    store.confirm({USERS[0]: token}, 9)
    assert raw.pttl(key) > 3_590_000


def test_without_a_time_to_live_people_stay(make_redis_store, raw):
    people = People()
    store = make_redis_store(people.limits, ttl_seconds=0.0)
    store.apply(people.folded(random_events(3, 20, n_users=2)))
    store.put({USERS[3]: people.person(0)})
    assert [raw.pttl(store.key(USERS[user])) for user in (0, 1, 3)] == [-1, -1, -1]


def test_keys_carry_the_namespace_and_keep_people_in_one_slot(make_redis_store, namespace):
    store = make_redis_store(PersonLimits())
    assert store.key("anna") == f"ft:{{{namespace}:u:anna}}"


def test_people_of_two_namespaces_do_not_meet(redis_url, namespace):
    people = People()
    with (
        closing(
            RedisOnlineStore(redis_url, MemoryTelemetry(), limits=people.limits, namespace=namespace)
        ) as one,
        closing(
            RedisOnlineStore(redis_url, MemoryTelemetry(), limits=people.limits, namespace=f"{namespace}2")
        ) as other,
    ):
        one.apply(people.folded(random_events(4, 10, n_users=1)))
        assert other.get([USERS[0]]).records == (None,)


@pytest.mark.parametrize("make_wrong", ["lpush", "sadd", "set"])
def test_what_others_left_under_our_key_counts_as_absent_and_is_written_over(
    make_redis_store, raw, make_wrong
):
    people = People()
    store = make_redis_store(people.limits)
    events = random_events(5, 20, n_users=1)
    first, second = (people.folded(events.take(at, at + 10)) for at in (0, 10))
    getattr(raw, make_wrong)(store.key(USERS[0]), "not ours")
    assert store.get([USERS[0]]).records == (None,)
    assert store.confirm({USERS[0]: b"12345678"}, 1) == 0
    assert store.apply(second).fates == ("gap",)
    store.put({USERS[0]: people.person(0)})
    assert_knows(store, people, [0])
    raw.delete(store.key(USERS[0]))
    getattr(raw, make_wrong)(store.key(USERS[0]), "not ours")
    assert store.apply(first).fates == ("applied",)
    assert store.apply(second).fates == ("applied",)
    assert_knows(store, people, [0])


def test_a_record_of_other_limits_counts_as_absent_and_is_written_over(make_redis_store):
    people, longer = People(), People(history_length=50)
    store, new = make_redis_store(people.limits), make_redis_store(longer.limits)
    events = random_events(6, 60, n_users=1)
    store.apply(people.folded(events.take(0, 30)))
    longer.folded(events.take(0, 30))
    assert new.get([USERS[0]]).records == (None,)
    assert new.apply(longer.folded(events.take(30, 60))).fates == ("gap",)
    new.put({USERS[0]: longer.person(0)})
    assert_knows(new, longer, [0])
    assert record_of(new, USERS[0]).epoch == 0


def test_many_people_go_in_one_call(make_redis_store):
    people = People()
    store = make_redis_store(people.limits)
    batch = people.folded(random_events(7, 10, n_users=1))
    many = {f"user {number}": people.person(0) for number in range(1000)}
    assert len(store.put(many).tokens) == 1000
    assert store.apply(batch).fates == ("applied",)
    assert sum(found is not None for found in store.get([*many, "nobody"]).records) == 1000
    assert store.delete(list(many)) == 1000


def test_previous_numbers_are_asked_of_a_state_that_lacks_no_event_between():
    people = People()
    events = random_events(9, 10, n_users=2)
    with pytest.raises(SequenceGapError):
        previous_seqs(people.state, events.take(5, 10))
    people.folded(events)
    late = events.take(5, 10)
    _, first = np.unique(late.user, return_index=True)
    assert (previous_seqs(people.state, late)[first] > late.seq[first]).all()


def test_operations_are_timed(redis_url, namespace):
    telemetry = MemoryTelemetry()
    people = People()
    with closing(RedisOnlineStore(redis_url, telemetry, limits=people.limits, namespace=namespace)) as store:
        store.apply(people.folded(random_events(8, 10, n_users=1)))
        store.get([USERS[0]])
    written = telemetry.exposition().decode()
    for operation in ("apply", "get"):
        assert f'redis_operation_duration_seconds_count{{operation="{operation}"}} 1.0' in written


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "redis", "redis://h:port/"])
def test_a_url_that_cannot_be_understood_is_refused_by_name(url):
    with pytest.raises(InvalidInputError, match="redis_url"):
        RedisOnlineStore(url, MemoryTelemetry(), limits=PersonLimits())


def test_a_database_that_is_no_number_is_refused_and_no_password_is_told():
    with pytest.raises(InvalidInputError, match="databases have numbers, and 'shop' is none"):
        Connections("redis://:geheim@127.0.0.1:9/shop", MemoryTelemetry())
    assert (
        Connections("redis://127.0.0.1:9?password=geheim", MemoryTelemetry()).where == "redis://127.0.0.1:9"
    )
