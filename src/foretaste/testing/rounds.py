"""Rounds of killing: how many there are, and what became of the events that were acknowledged."""

import os
import sys
from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

VARIABLE = "FORETASTE_KILL_ROUNDS"
Name = TypeVar("Name", bound=Hashable)


PLANTED = ", with a planted fault"
"""What the name of a victim ends in where events must be lost or doubled."""


def kill_rounds(usual: int) -> int:
    """Return how often a test kills: what `FORETASTE_KILL_ROUNDS` says, else `usual`."""
    return int(os.environ.get(VARIABLE, usual))


def assert_none_lost_or_doubled(
    victim: str, rounds: int, acknowledged: AbstractSet[Name], stored: Sequence[Name]
) -> None:
    """Say what became of the events after `rounds` kills of `victim`, and insist on each of them once.

    `stored` holds the names of all events in the log, in its order.
    """
    present = set(stored)
    lost, doubled = len(acknowledged - present), len(stored) - len(present)
    sys.stdout.write(
        f"\n{victim}: {rounds} kills, {len(acknowledged)} acknowledged, {lost} lost, {doubled} doubled\n"
    )
    assert lost == 0, "an acknowledged event was lost"
    assert doubled == 0, "an event was applied twice"
