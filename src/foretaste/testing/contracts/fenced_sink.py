"""The promises of `ports.event_stream.FencedSink`, beside those of every sink."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from foretaste.domain.errors import UnavailableError
from foretaste.ports.event_stream import EventSource, FencedSink, Positions
from foretaste.testing.contracts.event_stream import SECONDS, Reader, numbered, poll_until


class FencedSite(Protocol):
    """One topic, empty at first, that one of several may write to."""

    def fenced_sink(self) -> AbstractContextManager[FencedSink]:
        """Open a sink into the topic under the one name."""
        ...

    def source(self, positions: Positions) -> AbstractContextManager[EventSource]:
        """Read the topic."""
        ...


class FencedSinkContract:
    """Subclass it with a fixture `stream_site` that gives a `FencedSite`."""

    def test_what_a_writer_was_told_is_there_is_there(self, stream_site: FencedSite) -> None:
        reader = Reader()
        with stream_site.fenced_sink() as sink, stream_site.source(reader.positions) as source:
            sink.take_over()
            for start in (0, 50, 100):
                sink.submit(numbered(start, start + 50)).result(SECONDS)
            poll_until([source], reader, lambda: len(reader.messages) >= 150)
            poll_until([source], reader, lambda: not any(source.lag().values()))
        assert reader.values == [b"%06d" % number for number in range(150)]

    def test_nobody_writes_who_did_not_take_over(self, stream_site: FencedSite) -> None:
        with stream_site.fenced_sink() as sink:
            assert _refuses(lambda: sink.submit(numbered(0, 1)))

    def test_who_took_over_shuts_out_who_did_before(self, stream_site: FencedSite) -> None:
        reader = Reader()
        with stream_site.fenced_sink() as old, stream_site.fenced_sink() as new:
            old.take_over()
            old.submit(numbered(0, 10)).result(SECONDS)
            new.take_over()
            old.take_over()  # still believes to be the one, so this changes nothing
            assert _refuses(lambda: old.submit(numbered(10, 20)).result(SECONDS))
            assert _refuses(lambda: old.submit(numbered(10, 20)).result(SECONDS))
            new.submit(numbered(20, 30)).result(SECONDS)
            with stream_site.source(reader.positions) as source:
                poll_until([source], reader, lambda: len(reader.messages) >= 20)
        assert reader.values == [b"%06d" % number for number in (*range(10), *range(20, 30))]

    def test_who_was_shut_out_may_take_over_again(self, stream_site: FencedSite) -> None:
        with stream_site.fenced_sink() as one, stream_site.fenced_sink() as other:
            one.take_over()
            other.take_over()
            assert _refuses(lambda: one.submit(numbered(0, 1)).result(SECONDS))
            one.take_over()
            one.submit(numbered(1, 2)).result(SECONDS)
            assert _refuses(lambda: other.submit(numbered(2, 3)).result(SECONDS))


def _refuses(submit: Callable[[], object]) -> bool:
    try:
        submit()
    except UnavailableError:
        return True
    return False
