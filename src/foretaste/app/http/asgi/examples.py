"""An example of each operation: a request as it may be sent, and what came back."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec


class Example(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`path` and `query` are parameters by their names, `body` and `answer` the JSON that goes and comes."""

    path: dict[str, str] = {}
    query: dict[str, str] = {}
    body: Any = None
    answer: Any = None


Examples = Mapping[str, Example]
"""By method and path, as `GET /recommend/{user_id}`."""


def read_examples() -> dict[str, Example]:
    """Return the examples that come with the program; `scripts/record_examples.py` records their answers."""
    text = files("foretaste.app.http").joinpath("reference/examples.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, Example])
