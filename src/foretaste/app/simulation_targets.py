"""Targets of a simulation on this machine and in streams: a home, a file, a topic."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from foretaste.app.recommender import Recommender
from foretaste.app.simulating import Sent, cannot_be_asked
from foretaste.app.wiring import open_home
from foretaste.domain.event import Event
from foretaste.domain.item import Item
from foretaste.ports.event_stream import EventSink, StreamMessage


class HomeTarget:
    """A home, opened as its only writer: events are checked, stored and folded like any others."""

    concurrency = 1

    def __init__(self, directory: Path) -> None:
        self._rec = Recommender(open_home(directory, create=True))

    def put_items(self, items: Sequence[Item]) -> None:
        """Put items into the catalog."""
        self._rec.put_items(items)

    def send(self, events: Sequence[Event]) -> Sent:
        """Record a batch."""
        receipt = self._rec.record_many(events)
        return Sent(accepted=receipt.accepted, duplicates=receipt.duplicates, rejected=receipt.rejected)

    def slate(self, user_id: str, k: int, now: int) -> Sequence[str]:
        """Return what the home recommends at a moment."""
        return [item.item_id for item in self._rec.recommend(user_id, k, now=now, seed=0)]

    def close(self) -> None:
        """Save the state and release the home."""
        self._rec.close()


class FileTarget:
    """Two JSON Lines files: `path` for events, and beside it `NAME.items.jsonl` for the catalog.

    Both are replaced. An event that is delivered again stands there again.
    """

    concurrency = 1

    def __init__(self, path: Path) -> None:
        self.items = path.with_suffix(f".items{path.suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("wb")

    def put_items(self, items: Sequence[Item]) -> None:
        """Write the catalog."""
        self.items.write_bytes(b"".join(msgspec.json.encode(item) + b"\n" for item in items))

    def send(self, events: Sequence[Event]) -> Sent:
        """Write a batch."""
        self._file.write(b"".join(msgspec.json.encode(event) + b"\n" for event in events))
        return Sent(accepted=len(events))

    def slate(self, user_id: str, k: int, now: int) -> Sequence[str]:
        """Refuse: a file gives no answers."""
        del user_id, k, now
        raise cannot_be_asked(str(self._path))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class StreamTarget:
    """A stream of events, as a worker takes it in; people's events stay in their order."""

    concurrency = 4

    def __init__(self, sink: EventSink, name: str) -> None:
        self._sink = sink
        self._name = name

    def put_items(self, items: Sequence[Item]) -> None:
        """Do nothing: a stream has no catalog."""

    def send(self, events: Sequence[Event]) -> Sent:
        """Send a batch; raise `UnavailableError` where the stream does not acknowledge it."""
        self._sink.submit(
            [StreamMessage(value=msgspec.json.encode(event), key=event.user_id.encode()) for event in events]
        ).result()
        return Sent(accepted=len(events))

    def slate(self, user_id: str, k: int, now: int) -> Sequence[str]:
        """Refuse: a stream gives no answers."""
        del user_id, k, now
        raise cannot_be_asked(self._name)

    def close(self) -> None:
        """Wait for what was sent."""
        self._sink.close()
