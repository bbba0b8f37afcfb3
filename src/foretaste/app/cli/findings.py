"""What `foretaste doctor` says of one thing."""

import msgspec

from foretaste.domain.check import Check, Level


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing looked at: how it is, and what to do about it."""

    level: Level
    about: str
    words: str
    remedy: str | None = None


def finding_of(about: str, check: Check) -> Finding:
    """Return what was found of a server as a finding about it."""
    return Finding(level=check.level, about=about, words=check.words, remedy=check.remedy)
