"""`python -m foretaste.app.cli`, where the command `foretaste` is not on the path."""

from foretaste.app.cli import main

main()
