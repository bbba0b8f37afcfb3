"""The blends that a model served with: what was learnt while it served, agreed between all who serve it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

SPAN = 512
"""In a store that several processes share a blend begins after a multiple of so many events: who knows all
blends up to one such place need not ask again before the next."""


class BlendRecord(msgspec.Struct, frozen=True, kw_only=True):
    """From the event after `seq` on, `artifact` serves with the blend `described`, called `blend_version`.

    `number` counts the blends of one artifact. `shift` is what had been learnt then, by source, `compared`
    how it did, and `asked` number and time of the last event that was asked about (see `OnlineWeights`).
    `time` is when it was stored, in microseconds UTC (0: not known).
    """

    seq: int
    number: int = 0
    time: int = 0
    artifact: str
    blend_version: str
    shift: tuple[float, ...]
    compared: tuple[float, ...] = ()
    asked: tuple[int, int] = (0, -(1 << 62))
    described: msgspec.Raw

    def shift_of(self, sources: Sequence[str]) -> tuple[float, ...]:
        """Return what had been learnt of each of `sources`, 0 for those that had no part in the blend."""
        names = msgspec.json.decode(self.described)["sources"]
        known = dict(zip(names, self.shift, strict=False))
        return tuple([known.get(source, 0.0) for source in sources])


class BlendStore(Protocol):
    """Every blend that ever served.

    Promises (`foretaste.testing.contracts.blend_store`):

    - **Agreed.** Of several records with one number of one artifact the first is stored, the others are not;
      numbers rise by one.
    - **Never in the past.** In a store that several processes share, what is stored begins after a multiple
      of `SPAN` that no event in the log is beyond. So whoever has seen the log up to some event, and asks
      then, knows every blend up to the next such place.
    - **Kept.** What was stored survives the process; records that are older than the retention may be
      forgotten, but never the last one of an artifact.

    All raise `UnavailableError` where the store cannot be reached.
    """

    def agree(self, record: BlendRecord) -> BlendRecord | None:
        """Store the next blend of an artifact; return it with the `seq` after which it serves.

        None where the artifact has that number already.
        """
        ...

    def standing(self, artifact: str, seq: int) -> list[BlendRecord]:
        """Return the record in force for the event numbered `seq` and all after it, by number.

        That is the last with a smaller `seq`; where none is, those after it are all.
        """
        ...

    def named(self, artifact: str, blend_version: str) -> BlendRecord | None:
        """Return a record of an artifact with a blend of that version."""
        ...

    def serving_at(self, time: int) -> BlendRecord | None:
        """Return the record that was the last one at a moment (microseconds UTC), None where none tells."""
        ...

    def records(self) -> Iterator[BlendRecord]:
        """Yield all records in the order in which they were stored."""
        ...

    def restore(self, records: Iterable[BlendRecord]) -> None:
        """Store records as they are, if the store is empty."""
        ...
