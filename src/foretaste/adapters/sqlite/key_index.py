"""Which events were accepted: their keys in memory, sixteen bytes each."""

from collections.abc import Sequence

import numpy as np

from foretaste.domain.arrays import Int64s
from foretaste.domain.freed_memory import give_back_freed

LIVE = 16_384
LARGEST_RUN = 1 << 21
LONG_RUN = 1 << 17
"""To make a run from so many keys on takes five megabytes and more for a moment, which are given back."""

Run = tuple[Int64s, Int64s]
"""Keys, rising, and the sequence numbers of their events."""


class KeyIndex:
    """Event key → sequence number, for events from number `floor` on.

    New keys go to a dict; a full dict becomes a sorted run, and runs merge in powers of two up to
    `LARGEST_RUN`, so that a look-up searches few arrays and no step is long. A key in the dict takes nine
    times as much as one in a run.
    """

    def __init__(self, floor: int = 1) -> None:
        self.floor = floor
        self._live: dict[int, int] = {}
        self._runs: list[Run] = []

    def add(self, keys: Sequence[int], seqs: Sequence[int]) -> None:
        """Remember new keys."""
        self._live.update(zip(keys, seqs, strict=True))
        if len(self._live) >= LIVE:
            live, self._live = self._live, {}
            n = len(live)
            self.add_run(np.fromiter(live.keys(), np.int64, n), np.fromiter(live.values(), np.int64, n))

    def add_run(self, keys: Int64s, seqs: Int64s) -> None:
        """Remember many new keys at once: int64 [n] keys in any order, int64 [n] sequence numbers."""
        if not len(keys):
            return
        order = np.argsort(keys)
        self._runs.append((keys[order], seqs[order]))
        while len(self._runs) > 1 and self._mergeable(self._runs[-2][0], self._runs[-1][0]):
            self._runs.append(self._merged(self._runs.pop(), self._runs.pop()))
            if len(self._runs[-1][0]) >= LONG_RUN:
                give_back_freed()

    def forget_before(self, floor: int) -> None:
        """Know only events from number `floor` on; a run that holds none of them is let go of."""
        self.floor = floor
        self._runs = [run for run in self._runs if (run[1] >= floor).any()]

    def find(self, keys: Sequence[int]) -> list[int]:
        """Return the sequence number of each key, 0 where it is new."""
        live = self._live
        found = [live.get(key, 0) for key in keys]
        if not self._runs:
            return [seq if seq >= self.floor else 0 for seq in found]
        wanted = np.array(keys, np.int64)
        seqs = np.array(found, np.int64)
        for run_keys, run_seqs in self._runs:
            if not len(run_keys):
                continue
            at = np.minimum(np.searchsorted(run_keys, wanted), len(run_keys) - 1)
            hit = run_keys[at] == wanted
            if hit.any():
                np.maximum(seqs, np.where(hit, run_seqs[at], 0), out=seqs)
        seqs[seqs < self.floor] = 0
        kept: list[int] = seqs.tolist()
        return kept

    def _mergeable(self, older: Int64s, newer: Int64s) -> bool:
        return len(older) < 2 * len(newer) and len(older) + len(newer) <= LARGEST_RUN

    def _merged(self, one: Run, other: Run) -> Run:
        (keys, seqs), (other_keys, other_seqs) = self._known(one), self._known(other)
        keys = np.concatenate([keys, other_keys])
        order = np.argsort(keys, kind="stable")
        return keys[order], np.concatenate([seqs, other_seqs])[order]

    def _known(self, run: Run) -> Run:
        """Return what of a run is not below the floor."""
        keys, seqs = run
        kept = seqs >= self.floor
        return run if kept.all() else (keys[kept], seqs[kept])
