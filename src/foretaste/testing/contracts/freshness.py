"""The promises of `ports.freshness.Freshness`."""

from dataclasses import dataclass

from foretaste.domain.errors import UnavailableError
from foretaste.domain.item import Item
from foretaste.ports.catalog import Catalog
from foretaste.ports.event_log import EventLog
from foretaste.ports.freshness import Freshness, Head
from foretaste.ports.profiles import Profiles
from foretaste.testing.contracts.event_log import an_event, submitted


@dataclass(frozen=True, slots=True)
class Told:
    """One process: what it writes to, and how it learns what others wrote."""

    log: EventLog
    catalog: Catalog
    profiles: Profiles
    freshness: Freshness


class FreshnessContract:
    """Subclass it with a fixture `pair` that gives two processes, `Told`, on the same empty stores."""

    def test_nothing_happened_to_nobody(self, pair: tuple[Told, Told]) -> None:
        here, _ = pair
        nothing = Head(user_seq=0, catalog_version=0, people_version=0)
        assert here.freshness.head_of(None) == here.freshness.head_of("nobody") == nothing

    def test_the_head_is_that_of_the_person_whoever_wrote_it(self, pair: tuple[Told, Told]) -> None:
        here, there = pair
        for number, user_id in enumerate(("anna", "ben", "anna", "🦊\0")):
            seq = submitted(there.log, [an_event(number, user_id=user_id)])[0][2]
            assert here.freshness.head_of(user_id).user_seq == seq == number + 1
        assert here.freshness.head_of("ben").user_seq == 2
        assert here.freshness.head_of(None).user_seq == 0

    def test_after_catching_up_the_log_knows_the_events(self, pair: tuple[Told, Told]) -> None:
        here, there = pair
        for number in range(20):
            submitted(there.log, [an_event(number, user_id="anna")])
            here.freshness.catch_up(here.freshness.head_of("anna").user_seq)
            assert here.log.last_seq() >= number + 1
            assert len(here.log.read(0, 100)) >= number + 1

    def test_a_change_of_the_catalog_is_in_the_next_head(self, pair: tuple[Told, Told]) -> None:
        here, there = pair
        there.catalog.put([Item(item_id="a")])
        assert here.freshness.head_of(None).catalog_version == 1
        there.catalog.delete(["a"])
        assert here.freshness.head_of("nobody").catalog_version == 2

    def test_what_is_told_of_people_is_followed(self, pair: tuple[Told, Told]) -> None:
        here, there = pair
        there.profiles.put({"anna": {"age": 20.0}, "ben": {}})
        first = here.freshness.people_after(0)
        assert first.people == {"anna": {"age": 20.0}, "ben": {}}
        assert first.version == here.freshness.head_of(None).people_version
        there.profiles.put({"ben": {"age": 30.0}})
        second = here.freshness.people_after(first.version)
        assert (second.people, second.is_all) == ({"ben": {"age": 30.0}}, False)
        assert second.version == here.freshness.head_of(None).people_version > first.version

    def test_after_somebody_was_forgotten_all_others_are_told(self, pair: tuple[Told, Told]) -> None:
        here, there = pair
        there.profiles.put({"anna": {"age": 20.0}, "ben": {}})
        known = here.freshness.people_after(0)
        there.profiles.delete(["anna"])
        told = here.freshness.people_after(known.version)
        assert (told.people, told.is_all) == ({"ben": {}}, True)

    def test_a_process_that_follows_lags_little(self, pair: tuple[Told, Told]) -> None:
        here, there = pair
        submitted(there.log, [an_event(0)])
        here.freshness.catch_up(1)
        assert 0.0 <= here.freshness.lag_seconds() < 10.0

    def test_who_follows_no_more_raises_nothing_but_unavailable(self, pair: tuple[Told, Told]) -> None:
        here, _ = pair
        here.freshness.close()
        here.freshness.close()
        here.log.close()
        try:
            here.freshness.head_of("anna")
        except UnavailableError:
            return
        raise AssertionError("a closed store was asked")
