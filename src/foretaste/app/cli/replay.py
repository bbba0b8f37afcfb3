"""`foretaste replay`: the state, folded anew from the log, beside the one that is served."""

import time
from pathlib import Path

import msgspec
from rich.text import Text

from foretaste.app.cli.console import Screen
from foretaste.app.cli.moments import moment_of
from foretaste.app.reproducing import fold_log
from foretaste.app.wiring import open_home
from foretaste.domain.errors import CorruptDataError


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay found. `served` and `identical` are None where it stopped at an earlier moment."""

    events: int
    seconds: float
    events_per_second: float
    fingerprint: str
    served: str | None
    identical: bool | None


def run(*, home: Path, as_of: str | None, as_json: bool) -> None:
    """Fold the log and compare; raise `CorruptDataError` where the states differ."""
    screen = Screen(as_json=as_json)
    moment = None if as_of is None else moment_of(as_of, "as_of")
    with open_home(home, read_only=True, with_model=False) as opened:
        with screen.progress("fold", opened.log.last_seq()) as advance:
            told = 0

            def reached(seq: int) -> None:
                nonlocal told
                advance(seq - told)
                told = seq

            began = time.perf_counter()
            state = fold_log(opened, time=moment, advance=reached)
            seconds = time.perf_counter() - began
        served = opened.state.fingerprint() if moment is None else None
        done = sum(state.summary(user).events for user in range(state.n_users))
        replayed = Replayed(
            events=done,
            seconds=seconds,
            events_per_second=done / max(seconds, 1e-9),
            fingerprint=state.fingerprint(),
            served=served,
            identical=None if served is None else served == state.fingerprint(),
        )
    screen.result(replayed, _text(replayed))
    if replayed.identical is False:
        raise CorruptDataError(
            "the state that is served is not what the log says: stop the service, delete state.safetensors; "
            "the next start folds the log",
            field="state",
        )


def _text(replayed: Replayed) -> Text:
    rate = f"{replayed.events_per_second:,.0f} a second"
    words = (
        f"{replayed.events:,} events in {replayed.seconds:.2f} s ({rate})\n"
        f"fingerprint {replayed.fingerprint[:16]}"
    )
    if replayed.identical is not None:
        words += ", the same as is served" if replayed.identical else f", served: {replayed.served}"
    return Text(words)
