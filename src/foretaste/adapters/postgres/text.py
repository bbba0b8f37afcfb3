"""Text as PostgreSQL can store it: everything but NUL, which is written with an escape."""

ESCAPE = "\x1a"
"""The control character SUBSTITUTE, which hardly any text holds."""

_ENCODED = {ESCAPE: ESCAPE + "1", "\0": ESCAPE + "0"}


def escaped(text: str) -> str:
    """Return `text` without NUL; different texts stay different, and `unescaped` gives it back."""
    if "\0" not in text and ESCAPE not in text:
        return text
    return text.replace(ESCAPE, _ENCODED[ESCAPE]).replace("\0", _ENCODED["\0"])


def unescaped(stored: str) -> str:
    """Return what `escaped` was given."""
    if ESCAPE not in stored:
        return stored
    return stored.replace(_ENCODED["\0"], "\0").replace(_ENCODED[ESCAPE], ESCAPE)
