"""`foretaste batch`: slates for every user, to a file."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from foretaste.adapters.files.rejected import RejectedRows
from foretaste.adapters.files.rows import Reject
from foretaste.adapters.files.table_writer import TableWriter
from foretaste.app.cli.console import Advance, Screen
from foretaste.app.recommender import Recommender
from foretaste.app.slates import FRAME_SCHEMA, Slate, slate_frame

PIECE = 2_000


class BatchReport(msgspec.Struct, frozen=True, kw_only=True):
    """How many users were answered, and how many failed (listed in `errors_file`)."""

    users: int
    failed: int
    file: str
    errors_file: str | None
    seconds: float


def run(*, out: Path, home: Path, count: int, as_json: bool) -> None:
    """Answer every user of the log; who fails is set aside with the reason."""
    screen = Screen(as_json=as_json)
    began = time.monotonic()
    errors = RejectedRows(out.with_name(f"{out.name}.errors.jsonl"))
    with Recommender.open(home, read_only=True) as rec, TableWriter(out, FRAME_SCHEMA) as table, errors:
        users = rec.users()
        with screen.progress("answering", len(users)) as advance:
            for piece in _pieces(rec, users, count, errors, advance):
                table.write(slate_frame(piece))
    report = BatchReport(
        users=len(users) - errors.count,
        failed=errors.count,
        file=str(out),
        errors_file=str(errors.path) if errors.count else None,
        seconds=round(time.monotonic() - began, 3),
    )
    failed = f"; {report.failed:,} failed, see {report.errors_file}" if report.failed else ""
    screen.result(report, f"{report.users:,} users to {report.file}{failed} ({report.seconds:.1f} s)")


def _pieces(
    rec: Recommender, users: list[str], count: int, errors: RejectedRows, advance: Advance
) -> Iterator[list[Slate]]:
    for start in range(0, len(users), PIECE):
        piece = users[start : start + PIECE]
        slates: list[Slate] = []
        for position, user_id in enumerate(piece, start=start + 1):
            try:
                slates.append(rec.recommend(user_id, k=count))
            except Exception as error:  # noqa: BLE001 # whatever fails for one user must not end the others
                errors.write([Reject(line=position, reason=f"{type(error).__name__}: {error}", row=user_id)])
            advance()
        yield slates
