"""`python -m foretaste.app.processes '<order as JSON>'`: a process of a service, or its supervisor."""

import sys

import msgspec
import typer

from foretaste.app.cli.dispatch import dispatch
from foretaste.app.cli.hanging_up import end_when_hung_up
from foretaste.app.processes.order import Order
from foretaste.app.processes.supervisor import Plan, supervise


def main(written: str) -> None:
    """Supervise, or be one of the processes that are supervised."""
    end_when_hung_up()
    given = msgspec.json.decode(written, type=Order | Plan)
    if isinstance(given, Plan):
        sys.exit(supervise(given))
    try:
        dispatch("process", as_json=given.as_json, order=given)
    except typer.Exit as error:
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main(sys.argv[1])
