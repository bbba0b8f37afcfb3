"""What the operating system refuses polars, as the `OSError` that it is."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polars.exceptions import PolarsError

NUMBER = re.compile(r"\(os error (\d+)\)")
"""How polars tells the number of an error: in its words alone."""


@contextmanager
def as_system_errors(path: Path) -> Iterator[None]:
    """Raise an `OSError` with number and path for one that polars has in its words, within the block."""
    try:
        yield
    except (PolarsError, OSError) as error:
        told = NUMBER.search(str(error))
        if told is None or getattr(error, "errno", None) is not None:
            raise
        number = int(told[1])
        raise OSError(number, os.strerror(number), str(path)) from error
