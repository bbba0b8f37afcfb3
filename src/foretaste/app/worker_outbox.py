"""The outbox: what is in the log, told to others in the order of the log."""

from foretaste.app.stopping import Stopped, never
from foretaste.app.worker_ingest import answered
from foretaste.ports.event_log import EventLog
from foretaste.ports.event_stream import FencedSink, position_name
from foretaste.serving.ingest import event_message

BATCH = 2_000
"""Events that are published together."""


class Outbox:
    """Publishes the events of `log` to `sink`, keyed by user: a task for the one worker that leads.

    Each event is published at least once, each person's in log order; after a crash the events since the
    last stored position are published again, with the same `seq`. The position is kept in the log
    itself, and read after everyone else was shut out, so that nobody who still believes to lead gets in
    between. A topic that was made anew gets the whole log.
    """

    def __init__(self, log: EventLog, sink: FencedSink, *, batch: int = BATCH) -> None:
        self._log = log
        self._sink = sink
        self._batch = batch

    def run_once(self, stopped: Stopped = never) -> int:
        """Publish the next events; return how many.

        Raises `UnavailableError` where the stream or the log is away; the next call goes on from there.
        """
        if stopped():
            return 0
        self._sink.take_over()
        stream = f"outbox:{self._sink.stream}"
        place = position_name(stream, 0)
        after = self._log.reached(stream).get(place, 0)
        found = self._log.events(after, self._batch)
        if found:
            messages = [event_message(event, ("seq", b"%d" % seq)) for seq, event in found]
            answered(self._sink.submit(messages), "the topic of the outbox")
            answered(self._log.submit([], reached={place: found[-1][0]}), "the log")
        return len(found)

    def flush(self, stopped: Stopped = never) -> int:
        """Publish all that is in the log, until `stopped`; return how many events."""
        done = 0
        while published_now := self.run_once(stopped):
            done += published_now
        return done
