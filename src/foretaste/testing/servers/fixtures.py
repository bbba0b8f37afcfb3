"""What a missing server means to a test: a skip that says why on a developer's machine, a failure in CI."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import pytest

from foretaste.testing.servers.process import MissingServerError

T = TypeVar("T")


@contextmanager
def required(server: AbstractContextManager[T]) -> Iterator[T]:
    """Give what `server` gives; where it is missing skip the test, or fail it where `CI` is `true`."""
    try:
        running = server.__enter__()
    except MissingServerError as error:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(error.message)
        pytest.skip(error.message)
    try:
        yield running
    finally:
        server.__exit__(None, None, None)
