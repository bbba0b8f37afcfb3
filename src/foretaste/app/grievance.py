"""What goes wrong again and again, said when it begins and when it changes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from foretaste.domain.errors import ForetasteError


class Grievance:
    """Warns in `log` of what one repeated step cannot do: not again while the reason is the same."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._last: str | None = None

    @contextmanager
    def heard(self, words: str) -> Iterator[None]:
        """Let an error of the tree or of the system end the block alone; log `words` with its reason."""
        try:
            yield
        except (ForetasteError, OSError) as error:
            reason = str(error)
            if reason != self._last:
                self._log.warning("%s: %s", words, reason)
            self._last = reason
        else:
            self._last = None
