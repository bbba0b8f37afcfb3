"""The contract of online stores is worth something: a store that breaks a promise does not pass."""

from dataclasses import replace

import numpy as np
import pytest

from foretaste.adapters.memory.online_store import MemoryOnlineStore
from foretaste.domain.person import NOBODY
from foretaste.ports.online_store import Written
from foretaste.testing.contracts.online_store import OnlineStoreContract


class AppliesTwice(MemoryOnlineStore):
    """Does not look at sequence numbers."""

    def _fold(self, events, place):
        kept = self._present(events.user_ids[place])
        if kept is not None:
            self._keep(events.user_ids[place], replace(kept.person, as_of=0, seq=0), kept)
        return super()._fold(replace(events, previous=np.zeros_like(events.previous)), place)


class SwallowsGaps(MemoryOnlineStore):
    def apply(self, events):
        return super().apply(replace(events, previous=np.zeros_like(events.previous)))


class KeepsTheOrderOfArrival(MemoryOnlineStore):
    """Takes each event for the newest one."""

    def apply(self, events):
        return super().apply(replace(events, time=events.seq * 1_000_000))


class RoundsWeights(MemoryOnlineStore):
    def apply(self, events):
        return super().apply(replace(events, weight=events.weight.round(1)))


class PutsBack(MemoryOnlineStore):
    """Replaces what is newer."""

    def put(self, people):
        self.delete(list(people))
        return super().put(people)


class LosesPuts(MemoryOnlineStore):
    def put(self, people):
        return Written(self.incarnation, (b"12345678",) * len(people))


class IgnoresTokens(MemoryOnlineStore):
    """Confirms a record that was lost and written anew."""

    def confirm(self, tokens, epoch):
        present = {user_id: self._kept[user_id].token for user_id in tokens if user_id in self._kept}
        return super().confirm(present, epoch)


class ReusesTokens(MemoryOnlineStore):
    def _keep(self, user_id, person, before):
        self._tokens = 0
        return super()._keep(user_id, person, before)


class ForgetsEpochs(MemoryOnlineStore):
    """Takes the confirmation away with each event."""

    def _keep(self, user_id, person, before):
        return super()._keep(user_id, person, before and replace(before, epoch=0))


class LowersEpochs(MemoryOnlineStore):
    def confirm(self, tokens, epoch):
        for user_id, kept in self._kept.items():
            self._kept[user_id] = replace(kept, epoch=0)
        return super().confirm(tokens, epoch)


class KeepsTheDeleted(MemoryOnlineStore):
    def delete(self, user_ids):
        return sum(user_id in self._kept for user_id in user_ids)


class KnowsNobody(MemoryOnlineStore):
    def _present(self, user_id):
        self._kept.pop(user_id, None)


class IgnoresTheBound(MemoryOnlineStore):
    def __init__(self, limits):
        super().__init__(type(limits)(history_length=limits.history_length, most_rows=10_000))


class KnowsStrangers(MemoryOnlineStore):
    def get(self, user_ids):
        with self._lock:
            for user_id in user_ids:
                if user_id not in self._kept:
                    self._keep(user_id, NOBODY, None)
        return super().get(user_ids)


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        (AppliesTwice, "test_redelivered_events_change_nothing"),
        (SwallowsGaps, "test_a_gap_is_told_and_changes_nothing"),
        (SwallowsGaps, "test_an_absent_record_has_a_gap_unless_it_begins"),
        (KeepsTheOrderOfArrival, "test_records_are_what_the_state_knows"),
        (KeepsTheOrderOfArrival, "test_times_and_keys_of_any_sign_and_size_are_ordered"),
        (RoundsWeights, "test_records_are_what_the_state_knows"),
        (PutsBack, "test_a_record_that_is_complete_further_is_not_put_back"),
        (LosesPuts, "test_a_person_that_is_put_comes_back_and_is_folded_on"),
        (IgnoresTokens, "test_a_record_that_was_lost_meanwhile_is_not_confirmed"),
        (ReusesTokens, "test_new_records_are_unconfirmed_and_have_tokens_of_their_own"),
        (ForgetsEpochs, "test_a_confirmed_record_stays_so_while_it_is_there"),
        (LowersEpochs, "test_an_epoch_is_never_lowered"),
        (KeepsTheDeleted, "test_deleted_people_are_gone"),
        (KnowsNobody, "test_a_record_says_up_to_where_it_is_complete"),
        (IgnoresTheBound, "test_a_tally_past_its_bound_leaves_the_head_alone"),
        (KnowsStrangers, "test_nothing_is_known_of_a_stranger"),
    ],
)
def test_a_planted_fault_breaks_the_promise_it_attacks(fault, promise):
    arguments = (
        {"seed": 1, "step": 7} if "seed" in getattr(OnlineStoreContract, promise).__annotations__ else {}
    )
    getattr(OnlineStoreContract(), promise)(MemoryOnlineStore, **arguments)
    with pytest.raises((AssertionError, pytest.fail.Exception, AttributeError)):
        getattr(OnlineStoreContract(), promise)(fault, **arguments)
