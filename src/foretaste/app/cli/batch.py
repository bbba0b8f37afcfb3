"""`foretaste batch`: slates for very many people, to a file."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from foretaste.app.batch.plan import BatchOrder
from foretaste.app.batch.running import Advance, run_batch
from foretaste.app.cli.console import Screen


def run(
    *,
    out: Path,
    home: Path,
    count: int | None,
    scenario: str,
    model: str | None,
    filters: Sequence[str],
    boosts: Sequence[str],
    users: Path | None,
    anew: bool,
    processes: int | None,
    as_json: bool,
) -> None:
    """Answer everyone; who fails is set aside with the reason."""
    screen = Screen(as_json=as_json)
    start = time.monotonic()
    order = BatchOrder(
        k=count or 0, scenario=scenario, model=model, filter=tuple(filters), boost=tuple(boosts)
    )
    with ExitStack() as stack:

        def began(done: int, everyone: int) -> Advance:
            if done:
                screen.say(f"going on with a batch that was cut off: {done:,} of {everyone:,} are answered")
            return stack.enter_context(screen.progress("answering", everyone - done))

        report = run_batch(home, out, order, users_file=users, anew=anew, processes=processes, began=began)
    failed = f"; {report.failed:,} failed, see {report.errors_file}" if report.failed else ""
    seconds = time.monotonic() - start
    screen.result(report, f"{report.users:,} users to {report.file}{failed} ({seconds:.1f} s)")
