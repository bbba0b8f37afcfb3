"""The command line: `foretaste`.

`signatures` declares the commands and imports nothing heavy; each command's work is in the module of
its name, which `dispatch` imports when the command runs. So `foretaste --help` answers at once.
"""

from foretaste.app.cli.signatures import app


def main() -> None:
    """Run the command line."""
    app()
