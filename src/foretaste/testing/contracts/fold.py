"""The promises of `domain.fold.Fold`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from foretaste.domain.errors import CorruptSnapshotError, SequenceGapError
from foretaste.domain.event import EventColumns, no_events
from foretaste.domain.fold import Fold
from foretaste.testing.event_factories import random_events, rearranged

SEEDS = range(12)


def assert_same(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> None:
    """Assert that two snapshots are equal bit for bit."""
    assert sorted(one) == sorted(other)
    for name, array in one.items():
        assert array.dtype == other[name].dtype, name
        assert array.shape == other[name].shape, name
        assert array.tobytes() == other[name].tobytes(), name


class FoldContract(ABC):
    """Subclass it and say how a fold is made; `events` may be replaced by streams that suit it better."""

    @abstractmethod
    def new(self) -> Fold:
        """Return a fold of no events."""

    def events(self, seed: int) -> EventColumns:
        """Return a stream whose events may arrive in any order without exceeding the lateness bound."""
        return random_events(seed, 80, in_order=False)

    def folded(self, events: EventColumns) -> Fold:
        """Return a fold of `events`."""
        fold = self.new()
        fold.apply(events)
        return fold

    def test_a_new_fold_has_seen_nothing(self) -> None:
        fold = self.new()
        assert fold.seq == 0
        assert fold.apply(no_events()) == 0
        assert_same(fold.snapshot(), self.new().snapshot())

    def test_events_show_in_the_snapshot(self) -> None:
        events = self.events(0)
        fold = self.new()
        assert fold.apply(events) == len(events)
        assert fold.seq == events.last_seq
        with pytest.raises(AssertionError):
            assert_same(fold.snapshot(), self.new().snapshot())

    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_batch_is_folded_as_its_events_one_by_one(self, seed: int) -> None:
        events = self.events(seed)
        fold = self.new()
        for place in range(len(events)):
            assert fold.apply(events.take(place, place + 1)) == 1
        assert_same(fold.snapshot(), self.folded(events).snapshot())

    @pytest.mark.parametrize("seed", SEEDS)
    def test_any_order_within_the_lateness_bound_gives_the_same_state(self, seed: int) -> None:
        events = self.events(seed)
        in_time = np.lexsort((events.key, events.time))
        rng = np.random.default_rng(seed)
        for order in (in_time, in_time[::-1], rng.permutation(len(events))):
            assert_same(self.folded(rearranged(events, order)).snapshot(), self.folded(events).snapshot())

    @pytest.mark.parametrize("seed", SEEDS)
    def test_events_seen_before_change_nothing(self, seed: int) -> None:
        events = self.events(seed)
        fold = self.folded(events.take(0, 50))
        assert fold.apply(events.take(0, 50)) == 0
        assert fold.apply(events.take(20, 50)) == 0
        assert_same(fold.snapshot(), self.folded(events.take(0, 50)).snapshot())
        assert fold.apply(events.take(20, len(events))) == len(events) - 50
        assert_same(fold.snapshot(), self.folded(events).snapshot())

    def test_a_gap_is_refused_and_changes_nothing(self) -> None:
        events = self.events(0)
        fold = self.folded(events.take(0, 10))
        with pytest.raises(SequenceGapError):
            fold.apply(events.take(11, 20))
        with pytest.raises(SequenceGapError):
            fold.apply(no_events(previous_seq=11))
        assert fold.seq == 10
        assert_same(fold.snapshot(), self.folded(events.take(0, 10)).snapshot())

    def test_a_hole_left_by_erased_events_is_not_a_gap(self) -> None:
        events = self.events(0)
        rest = events.take(20, len(events))
        bridged = EventColumns(
            previous_seq=10,
            seq=rest.seq,
            user=rest.user,
            item=rest.item,
            type=rest.type,
            time=rest.time,
            key=rest.key,
            value=rest.value,
        )
        fold = self.folded(events.take(0, 10))
        assert fold.apply(bridged) == len(rest)
        assert fold.seq == events.last_seq

    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_snapshot_and_the_events_since_are_the_whole_fold(self, seed: int) -> None:
        events = self.events(seed)
        cut = 6 * seed
        fold = self.folded(events)
        fold.restore(self.folded(events.take(0, cut)).snapshot())
        assert fold.seq == cut
        fold.apply(events.take(cut, len(events)))
        assert_same(fold.snapshot(), self.folded(events).snapshot())

    def test_a_snapshot_does_not_follow_later_events(self) -> None:
        events = self.events(0)
        fold = self.folded(events.take(0, 40))
        snapshot = fold.snapshot()
        copies = {name: array.copy() for name, array in snapshot.items()}
        fold.apply(events.take(40, len(events)))
        assert_same(snapshot, copies)

    def test_a_snapshot_with_a_part_missing_or_cut_is_refused_and_changes_nothing(self) -> None:
        events = self.events(0)
        fold = self.folded(events)
        before = fold.snapshot()
        for name in before:
            without = {other: array for other, array in before.items() if other != name}
            with pytest.raises(CorruptSnapshotError):
                fold.restore(without)
            with pytest.raises(CorruptSnapshotError):
                fold.restore({**without, name: before[name][:-1]})
            with pytest.raises(CorruptSnapshotError):
                fold.restore({**without, name: before[name].astype(np.complex128)})
        assert_same(fold.snapshot(), before)
