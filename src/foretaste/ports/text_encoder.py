"""Texts as vectors."""

from collections.abc import Sequence
from typing import Protocol

from foretaste.domain.arrays import Floats


class TextEncoder(Protocol):
    """What turns texts into vectors that are near each other where the texts mean alike.

    Promise: a text's vector does not depend on the texts beside it, but for rounding.
    """

    @property
    def dim(self) -> int:
        """How long the vectors are."""
        ...

    @property
    def digest(self) -> str:
        """What changes with anything that vectors depend on but the text; fit for a file's name."""
        ...

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return unit vectors, float32 [len(texts), dim]."""
        ...
