"""The command line: `foretaste`.

The modules `signatures` declare the commands without a body and import nothing heavy; each command's work is
in the module of its name, which `dispatch` imports when the command runs. So `foretaste --help` answers at
once.
"""

from foretaste.app.cli import signatures, signatures_operating, signatures_scenarios
from foretaste.app.cli.hanging_up import end_when_hung_up
from foretaste.app.cli.program import app

__all__ = ["app", "main", "signatures", "signatures_operating", "signatures_scenarios"]


def main() -> None:
    """Run the command line."""
    end_when_hung_up()
    app()
