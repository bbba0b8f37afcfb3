"""What a command does when its terminal is closed."""

import signal
from types import FrameType


def end_when_hung_up() -> None:
    """Let SIGHUP end this process as SIGTERM does; where it is ignored, as under `nohup`, it stays so."""
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _terminate)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGTERM)
