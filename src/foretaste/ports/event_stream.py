"""Event streams: messages that other programs send us, and messages that we send them."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

Headers = tuple[tuple[str, bytes], ...]

Positions = Callable[[str], Mapping[str, int]]
"""Asked for a stream's name, gives `<stream>/<partition>` → next offset: `EventLog.reached`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamMessage:
    """A message to be sent. Messages with the same `key` stay in order; without one they go anywhere."""

    value: bytes
    key: bytes | None = None
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessage:
    """A message as it was read: where it stands, and when the stream says it came (µs since 1970, or 0)."""

    partition: int
    offset: int
    time: int
    value: bytes
    key: bytes | None = None
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamBatch:
    """Messages of one `stream`, each partition's in order, and the positions after them.

    `reached` is `<stream>/<partition>` → next offset, for `EventLog.submit`. `lost` counts messages
    before these that the stream no longer had when they were asked for.
    """

    stream: str
    messages: tuple[ReceivedMessage, ...] = ()
    reached: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0


class EventSource(Protocol):
    """One member of a group that reads a stream together; used by one thread.

    Promises (`foretaste.testing.contracts.event_stream`):

    - **Complete.** What is in the stream comes, each partition in its order, none left out.
    - **From where the log says.** A member that is given a partition asks `Positions` for it, and reads
      on from there, from the beginning where nothing is known. What the group told the stream before
      plays no part, so the log and its positions cannot part.
    - **Shared.** The partitions are divided among the members; those of a member that leaves, or is no
      longer heard of, go to the others.
    - **Named for good.** A stream that was deleted and made anew has another name, hence no position.
    - **In time.** `poll` returns within the seconds given, whether the stream answers or not.
    """

    def poll(self, most: int, seconds: float) -> StreamBatch:
        """Return up to `most` messages as soon as there are some; none after `seconds`.

        Raises `UnavailableError` where `Positions` does, or where the stream can say that it cannot be read.
        """
        ...

    def acknowledge(self, reached: Mapping[str, int]) -> None:
        """Tell the stream how far the group is, for tools that show lag. Never raises; nothing needs it."""
        ...

    def assigned(self) -> frozenset[int]:
        """Return the partitions that this member reads at present."""
        ...

    def lag(self) -> dict[int, int]:
        """Return how many messages of each assigned partition were not polled yet, as the stream last told.

        What was in the stream before this member began to read is counted at once, what came later soon.
        Raises `UnavailableError` where the stream does not say.
        """
        ...

    def close(self) -> None:
        """Leave the group."""
        ...


class EventSink(Protocol):
    """Where messages go.

    Promises (`foretaste.testing.contracts.event_stream`):

    - **Acknowledged.** When the future resolves, every message of the batch survives the loss of the
      machine that took it: all replicas that are in step have it. Otherwise it raises `UnavailableError`, and
      any message of the batch may be in the stream, or come into it, all the same.
    - **In order.** Messages with the same key are read in the order in which they were submitted.
    - **In time.** The future resolves or raises within a bound that the sink is made with.
    """

    @property
    def stream(self) -> str:
        """The name that the stream has for good; raises `UnavailableError` where nobody can be asked."""
        ...

    def submit(self, messages: Sequence[StreamMessage]) -> "Future[None]":
        """Send messages. Raises `UnavailableError` at once where too many wait already."""
        ...

    def close(self) -> None:
        """Wait for what was submitted, within the sink's bound, and release everything."""
        ...


class FencedSink(EventSink, Protocol):
    """A sink that one of many may write to at a time.

    Promises (`foretaste.testing.contracts.fenced_sink`):

    - **Alone.** After `take_over` returned, nothing that another submits comes into the stream, whatever
      it believes; its `submit` raises `UnavailableError`.
    - **Whole.** Readers see a batch as a whole or not at all.
    - `submit` never takes over by itself: who reads something, then submits what follows from it, knows
      that nobody else wrote in between.
    """

    def take_over(self) -> None:
        """Become the one who writes; does nothing for who still believes to be it.

        Raises `UnavailableError` where the stream does not answer.
        """
        ...


def position_name(stream: str, partition: int) -> str:
    """Return what `EventLog.submit` calls the position in a partition."""
    return f"{stream}/{partition}"
