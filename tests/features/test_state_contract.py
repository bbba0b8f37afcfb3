import numpy as np
import pytest

from foretaste.domain.event import EventColumns
from foretaste.features.state import State, StateConfig
from foretaste.testing.contracts.fold import FoldContract
from foretaste.testing.event_factories import EVENT_TYPES


def type_names():
    return EVENT_TYPES


class TestState(FoldContract):
    def new(self):
        return State(StateConfig(), type_names)


class TestStateWithAGapBetweenPairs(FoldContract):
    def new(self):
        return State(StateConfig(window=2, pair_gap_seconds=86_400.0), type_names)


class TestStateWithInfiniteHalfLife(FoldContract):
    def new(self):
        return State(StateConfig(window=9, half_lives=(float("inf"),)), type_names)


class TestStateWithFewTouches(FoldContract):
    def new(self):
        return State(StateConfig(touches_per_item=3), type_names)


class AppliesTwice(State):
    """Does not look at sequence numbers."""

    def apply(self, events):
        self._fold(events)
        return len(events)


class SwallowsGaps(State):
    def apply(self, events):
        bridged = EventColumns(
            previous_seq=min(events.previous_seq, self.seq),
            seq=events.seq,
            user=events.user,
            item=events.item,
            type=events.type,
            time=events.time,
            key=events.key,
            value=events.value,
        )
        return super().apply(bridged)


class KeepsTheOrderOfArrival(State):
    """Takes each event for the newest one."""

    def _fold(self, events, **how):
        late = EventColumns(
            previous_seq=events.previous_seq,
            seq=events.seq,
            user=events.user,
            item=events.item,
            type=events.type,
            time=events.seq * 1_000_000,
            key=events.key,
            value=events.value,
        )
        super()._fold(late, **how)


class LosesTheEndOfABatch(State):
    def _fold(self, events, **how):
        super()._fold(events if len(events) == 1 else events.take(0, len(events) - 1), **how)


class ForgetsPairsOfTheSnapshot(State):
    def snapshot(self):
        snapshot = dict(super().snapshot())
        snapshot["neighbour_lengths"] = np.zeros_like(snapshot["neighbour_lengths"])
        snapshot["neighbours"] = snapshot["neighbours"][:0]
        return snapshot

    def restore(self, arrays):
        super().restore(arrays)
        self._holder.arrays.buckets[:] = 0


class BelievesAnySnapshot(State):
    def restore(self, arrays):
        pass


class SharesItsArrays(State):
    def snapshot(self):
        return {**super().snapshot(), "buckets": self._holder.arrays.buckets}


class ForgetsEvents(State):
    def apply(self, events):
        return 0 if len(events) == 0 else len(events)


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        (ForgetsEvents, "test_events_show_in_the_snapshot"),
        (LosesTheEndOfABatch, "test_a_batch_is_folded_as_its_events_one_by_one"),
        (KeepsTheOrderOfArrival, "test_any_order_within_the_lateness_bound_gives_the_same_state"),
        (AppliesTwice, "test_events_seen_before_change_nothing"),
        (SwallowsGaps, "test_a_gap_is_refused_and_changes_nothing"),
        (ForgetsPairsOfTheSnapshot, "test_a_snapshot_and_the_events_since_are_the_whole_fold"),
        (BelievesAnySnapshot, "test_a_snapshot_with_a_part_missing_or_cut_is_refused_and_changes_nothing"),
        (SharesItsArrays, "test_a_snapshot_does_not_follow_later_events"),
    ],
)
def test_a_planted_fault_breaks_the_promise_it_attacks(fault, promise):
    class Faulty(FoldContract):
        def new(self):
            return fault(StateConfig(), type_names)

    seed = (3,) if "seed" in getattr(FoldContract, promise).__annotations__ else ()
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(Faulty(), promise)(*seed)
