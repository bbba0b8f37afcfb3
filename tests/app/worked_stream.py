"""Streams in memory, and a worker on them, for tests."""

import json

from foretaste.adapters.memory.event_stream import MemoryEventSink, MemoryEventSource, MemoryFencedSink
from foretaste.app.worker_wiring import Streams, Topics
from foretaste.ports.event_stream import StreamMessage

TOPICS = Topics("shop.events", "shop.log", "shop.events.dead")


def streams_in(broker):
    return Streams(
        TOPICS,
        lambda: None,
        lambda positions: MemoryEventSource(broker, TOPICS.events, "group", positions),
        lambda topic: MemoryEventSink(broker, topic),
        lambda topic: MemoryFencedSink(broker, topic),
    )


def click(number, **more):
    return {"user_id": f"u{number % 5}", "item_id": f"i{number % 7}", "type": "click", **more}


def send(broker, *values):
    encoded = [value if isinstance(value, bytes) else json.dumps(value).encode() for value in values]
    messages = [StreamMessage(value=value, key=value[:20]) for value in encoded]
    MemoryEventSink(broker, TOPICS.events).submit(messages).result()
