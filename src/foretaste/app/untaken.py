"""The model that should serve and does not: why, for who asks how the service is."""

from collections.abc import Iterator
from contextlib import contextmanager

from foretaste.domain.errors import ForetasteError


class Untaken:
    """Remembers why the last model that was to be taken could not be, until one is or none is due."""

    def __init__(self) -> None:
        self._words: str | None = None

    @contextmanager
    def told(self, version: str) -> Iterator[None]:
        """Take the model of this version within the block; remember what ends it."""
        try:
            yield
        except (ForetasteError, OSError) as error:
            self._words = f"the model {version} cannot be taken, what served before it goes on: {error}"
            raise
        self._words = None

    def forget(self) -> None:
        """Note that the model that should serve does."""
        self._words = None

    def complaint(self) -> str | None:
        """Return which model could not be taken and why, None for none."""
        return self._words
