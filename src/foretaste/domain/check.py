"""What a look at a server found, for those who have to mend it."""

from typing import Literal

import msgspec

Level = Literal["good", "note", "problem"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at: how it is, and what to do about it where it is not good."""

    level: Level
    words: str
    remedy: str | None = None
