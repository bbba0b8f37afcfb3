"""`foretaste worker`: takes in a stream of events and publishes the log."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import msgspec

from foretaste.adapters.prometheus.telemetry import PrometheusTelemetry
from foretaste.app.cli.console import Screen, log_line
from foretaste.app.home import Home
from foretaste.app.settings_loading import load_settings
from foretaste.app.wiring import open_home
from foretaste.app.worker import Worker
from foretaste.app.worker_http import told_over_http
from foretaste.app.worker_wiring import open_worker, streams_of

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages came, and where the state is."""

    messages: int
    state_seq: int


def run(*, home: Path, until_empty: bool, metrics_port: int | None, as_json: bool) -> None:
    """Work until a signal comes, or until nothing is left to do."""
    screen = Screen(as_json=as_json)
    settings = load_settings(home)
    streams = streams_of(settings)
    port = settings.metrics_port if metrics_port is None else metrics_port
    with (
        open_home(
            home,
            settings=settings,
            create=True,
            beside=True,
            with_model=False,
            telemetry=PrometheusTelemetry(),
        ) as opened,
        open_worker(opened, streams) as worker,
        _told(opened, port, screen),
        ended_by_signals(worker),
    ):
        screen.say(f"taking in {streams.topics.events}; SIGTERM or Ctrl-C lets it finish what it is at")
        messages = worker.run(until_empty=until_empty)
        report = WorkerReport(messages=messages, state_seq=opened.state.seq)
        screen.result(report, f"{messages:,} messages taken in; the log has {report.state_seq:,} events")


@contextmanager
def _told(home: Home, port: int | None, screen: Screen) -> Iterator[None]:
    """Tell measures and health where a port is given, and say where."""
    if port is None:
        yield
        return
    with told_over_http(home, home.settings.host, port) as address:
        if screen.as_json:
            log_line(step="metrics", address=address)
        else:
            screen.say(f"measures at {address}/metrics, health at {address}/health/ready")
        yield


@contextmanager
def ended_by_signals(worker: Worker) -> Iterator[None]:
    """Let the first SIGTERM or SIGINT stop the worker, and a second one end the process."""
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def stop(_number: int, _frame: FrameType | None) -> None:
        worker.stop.set()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in SIGNALS:
        signal.signal(number, stop)
    try:
        yield
    finally:
        restore()
