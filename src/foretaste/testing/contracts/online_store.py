"""The promises of `ports.online_store.OnlineStore`."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from foretaste.domain.event import EventColumns
from foretaste.domain.person import Person
from foretaste.features.person import (
    PersonLimits,
    limits_of,
    people_events,
    person_of,
    previous_seqs,
    summary_of,
    tally_of,
)
from foretaste.features.state import State, StateConfig
from foretaste.ports.online_store import OnlineRecord, OnlineStore, PeopleEvents
from foretaste.testing.event_factories import EVENT_TYPES, random_events

LENGTH = 12
USERS = ("anna", "ben {curly} braces", "ça\nva\r\n", "🦊", "}{", "", "a" * 300)
MakeStore = Callable[[PersonLimits], OnlineStore]


class People:
    """A state and what is to be told about it: the law that a store is held to."""

    def __init__(self, *, history_length: int = LENGTH, most_rows: int = 10_000) -> None:
        self.state = State(StateConfig(history_length=history_length), lambda: EVENT_TYPES)
        self.limits = limits_of(self.state.config, most_rows=most_rows)

    def folded(self, events: EventColumns) -> PeopleEvents:
        """Fold events into the state and return them as a store takes them."""
        previous = previous_seqs(self.state, events)
        self.state.apply(events)
        return people_events(
            events,
            previous,
            user_names=USERS,
            type_names=EVENT_TYPES,
            weights=self.state.config.weights,
        )

    def person(self, user: int) -> Person:
        """Return what the state knows of one person."""
        return person_of(self.state, user, self.limits)


def assert_same_person(one: Person, other: Person) -> None:
    """Assert that two people are equal bit for bit, however far each is known to be complete."""
    assert (one.seq, one.is_whole) == (other.seq, other.is_whole)
    assert summary_of(one) == summary_of(other)
    for mine, theirs in zip(_columns(one), _columns(other), strict=True):
        assert mine.dtype == theirs.dtype
        assert mine.tobytes() == theirs.tobytes()


def _columns(person: Person) -> list[np.ndarray]:
    """Return all arrays of a person."""
    history, tally = person.history, tally_of(person)
    return [
        person.key,
        *(getattr(history, name) for name in ("item", "weight", "time", "type")),
        *(getattr(tally, name) for name in ("item", "type", "count", "last")),
    ]


def record_of(store: OnlineStore, user_id: str) -> OnlineRecord:
    """Return a record that must be there."""
    found = store.get([user_id]).records[0]
    assert found is not None
    return found


def assert_knows(store: OnlineStore, people: People, users: Sequence[int]) -> None:
    """Assert that the store says of these people what the state says."""
    for user in users:
        assert_same_person(record_of(store, USERS[user]).person, people.person(user))


def only(events: EventColumns, kept: Callable[[EventColumns], np.ndarray]) -> EventColumns:
    """Return some of the events, with the numbers they have."""
    places = np.flatnonzero(kept(events))
    return EventColumns(
        previous_seq=0,
        seq=events.seq[places],
        user=events.user[places],
        item=events.item[places],
        type=events.type[places],
        time=events.time[places],
        key=events.key[places],
        value=events.value[places],
    )


class OnlineStoreContract:
    """Subclass it with a fixture `make_store` that returns an empty store with the limits given."""

    def test_nothing_is_known_of_a_stranger(self, make_store: MakeStore) -> None:
        store = make_store(PersonLimits())
        assert store.get(["anna", "ben"]).records == (None, None)

    def test_a_server_says_who_it_is_and_stays_who_it_is(self, make_store: MakeStore) -> None:
        store = make_store(PersonLimits())
        incarnation = store.get(()).incarnation
        assert incarnation
        assert store.get(["anna"]).incarnation == incarnation

    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("step", [1, 7, 200])
    def test_records_are_what_the_state_knows(self, make_store: MakeStore, seed: int, step: int) -> None:
        people = People()
        store = make_store(people.limits)
        events = random_events(seed, 200, n_users=len(USERS), n_items=9, in_order=False)
        for start in range(0, 200, step):
            applied = store.apply(people.folded(events.take(start, min(start + step, 200))))
            assert set(applied.fates) == {"applied"}
        assert_knows(store, people, np.unique(events.user).tolist())

    def test_times_and_keys_of_any_sign_and_size_are_ordered(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        extremes = np.array([-(2**62), -1, 0, 1, 2**33, 2**53 + 1, 2**53 + 2, 2**62], np.int64)
        rng = np.random.default_rng(1)
        plain = random_events(1, 64, n_users=2, n_items=3)
        events = EventColumns(
            previous_seq=0,
            seq=plain.seq,
            user=plain.user,
            item=plain.item,
            type=plain.type,
            time=rng.choice(extremes, 64) // 2,
            key=rng.choice(extremes, 64) * 2 + rng.integers(0, 2, 64),
            value=plain.value,
        )
        for place in range(64):
            store.apply(people.folded(events.take(place, place + 1)))
        assert_knows(store, people, [0, 1])

    def test_redelivered_events_change_nothing(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        batches = [people.folded(random_events(2, 60, n_users=3).take(at, at + 6)) for at in range(0, 60, 6)]
        for place, batch in enumerate(batches):
            store.apply(batch)
            for earlier in batches[max(0, place - 2) : place + 1]:
                assert set(store.apply(earlier).fates) == {"seen"}
        assert_knows(store, people, [0, 1, 2])

    def test_a_batch_that_is_known_in_part_is_folded_for_the_rest(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        events = random_events(3, 40, n_users=2)
        store.apply(People().folded(events.take(0, 25)))
        assert set(store.apply(people.folded(events)).fates) == {"applied"}
        assert_knows(store, people, [0, 1])

    def test_a_gap_is_told_and_changes_nothing(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        events = only(random_events(4, 30, n_users=1), lambda all_of: all_of.user == 0)
        store.apply(people.folded(events.take(0, 10)))
        before = record_of(store, USERS[0])
        people.folded(events.take(10, 11))
        late = people.folded(events.take(11, 20))
        assert store.apply(late).fates == ("gap",)
        assert_same_person(record_of(store, USERS[0]).person, before.person)
        store.put({USERS[0]: people.person(0)})
        assert store.apply(late).fates == ("seen",)
        store.apply(people.folded(events.take(20, 30)))
        assert_knows(store, people, [0])

    def test_an_absent_record_has_a_gap_unless_it_begins(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        events = random_events(5, 20, n_users=1)
        first, second = (people.folded(events.take(at, at + 10)) for at in (0, 10))
        assert store.apply(second).fates == ("gap",)
        assert store.get([USERS[0]]).records == (None,)
        assert store.apply(first).fates == ("applied",)
        assert store.apply(second).fates == ("applied",)
        assert_knows(store, people, [0])

    def test_a_person_that_is_put_comes_back_and_is_folded_on(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        events = random_events(6, 100, n_users=3, in_order=False)
        people.folded(events.take(0, 50))
        store.put({USERS[user]: people.person(user) for user in range(3)})
        assert_knows(store, people, [0, 1, 2])
        assert set(store.apply(people.folded(events.take(50, 100))).fates) == {"applied"}
        assert_knows(store, people, [0, 1, 2])

    def test_a_record_that_is_complete_further_is_not_put_back(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        events = random_events(7, 40, n_users=1)
        people.folded(events.take(0, 10))
        early = people.person(0)
        people.folded(events.take(10, 40))
        store.put({USERS[0]: people.person(0)})
        store.put({USERS[0]: early})
        assert record_of(store, USERS[0]).as_of == 40
        assert_knows(store, people, [0])

    def test_a_record_says_up_to_where_it_is_complete(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        events = random_events(8, 30, n_users=2)
        store.apply(people.folded(events))
        for user in range(2):
            found = record_of(store, USERS[user])
            assert found.as_of == 30
            assert found.seq == people.state.user_seq(user) == int(events.seq[events.user == user][-1])

    def test_a_tally_past_its_bound_leaves_the_head_alone(self, make_store: MakeStore) -> None:
        people = People(most_rows=10)
        store = make_store(people.limits)
        events = random_events(9, 120, n_users=1, n_items=40)
        for start in range(0, 120, 10):
            store.apply(people.folded(events.take(start, start + 10)))
            assert_knows(store, people, [0])
        kept = record_of(store, USERS[0])
        assert not kept.is_whole
        assert len(kept.person.history) == len(kept.person.tally_item) == 0
        assert (kept.seq, kept.person.events) == (120, 120)
        store.delete([USERS[0]])
        store.put({USERS[0]: people.person(0)})
        assert_knows(store, people, [0])

    def test_new_records_are_unconfirmed_and_have_tokens_of_their_own(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        first = people.folded(random_events(10, 5, n_users=1))
        store.apply(first)
        one = record_of(store, USERS[0])
        assert one.epoch == 0
        store.delete([USERS[0]])
        store.apply(first)
        two = record_of(store, USERS[0])
        store.delete([USERS[0]])
        (token,) = store.put({USERS[0]: people.person(0)}).tokens
        three = record_of(store, USERS[0])
        assert three.token == token
        assert (two.epoch, three.epoch) == (0, 0)
        assert len({one.token, two.token, three.token}) == 3

    def test_a_confirmed_record_stays_so_while_it_is_there(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        events = random_events(11, 30, n_users=1)
        store.apply(people.folded(events.take(0, 10)))
        token = record_of(store, USERS[0]).token
        assert store.confirm({USERS[0]: token}, 7) == 1
        store.apply(people.folded(events.take(10, 20)))
        people.folded(events.take(20, 30))
        assert store.put({USERS[0]: people.person(0)}).tokens == (token,)
        found = record_of(store, USERS[0])
        assert (found.epoch, found.token, found.as_of) == (7, token, 30)
        assert_knows(store, people, [0])

    def test_an_epoch_is_never_lowered(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        store.apply(people.folded(random_events(12, 5, n_users=1)))
        token = record_of(store, USERS[0]).token
        store.confirm({USERS[0]: token}, 300)
        assert store.confirm({USERS[0]: token}, 299) == 1
        assert record_of(store, USERS[0]).epoch == 300

    def test_a_record_that_was_lost_meanwhile_is_not_confirmed(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        events = people.folded(random_events(13, 5, n_users=1))
        store.apply(events)
        token = record_of(store, USERS[0]).token
        store.delete([USERS[0]])
        assert store.confirm({USERS[0]: token}, 3) == 0
        store.apply(events)
        assert store.confirm({USERS[0]: token}, 3) == 0
        assert record_of(store, USERS[0]).epoch == 0

    def test_deleted_people_are_gone(self, make_store: MakeStore) -> None:
        people = People()
        store = make_store(people.limits)
        store.apply(people.folded(random_events(14, 30, n_users=3)))
        assert store.delete([USERS[0], USERS[2], "nobody"]) == 2
        assert [found is None for found in store.get(USERS[:3]).records] == [True, False, True]

    def test_closing_twice_is_fine(self, make_store: MakeStore) -> None:
        store = make_store(PersonLimits())
        store.close()
        store.close()
