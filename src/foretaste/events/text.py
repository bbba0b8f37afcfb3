"""Rules for text that comes from outside."""

from foretaste.domain.errors import InvalidInputError

LONGEST_ID = 256
"""Bytes of UTF-8 that an id may have."""


def checked_text(text: str, field: str, most_bytes: int, error: type[InvalidInputError]) -> str:
    """Return `text` if it can be stored: UTF-8, no NUL, at most `most_bytes` bytes.

    Raises `error` naming `field`.
    """
    if text.isascii():
        size = len(text)
    else:
        try:
            size = len(text.encode())
        except UnicodeEncodeError as wrong:
            raise error(
                f"{field} holds a lone surrogate (\\ud800 to \\udfff), which is no character; "
                "send well-formed Unicode",
                field=field,
            ) from wrong
    if size > most_bytes:
        raise error(f"{field} is {size} bytes long in UTF-8; at most {most_bytes} are allowed", field=field)
    if "\0" in text:
        raise error(f"{field} holds a NUL character (\\u0000); remove it", field=field)
    return text


def checked_id(value: str | int | None, field: str, error: type[InvalidInputError]) -> str:
    """Return an id as text; integers are written in decimal. Raises `error` naming `field`."""
    if type(value) is str and value.isascii() and 0 < len(value) <= LONGEST_ID and "\0" not in value:
        return value
    if value is None:
        raise error(f"{field} is missing", field=field)
    if not isinstance(value, str):
        if value.bit_length() > 8 * LONGEST_ID:
            raise error(f"{field} is a number with far too many digits", field=field)
        value = str(value)
    if not value:
        raise error(f"{field} is empty; it must have at least one character", field=field)
    return checked_text(value, field, LONGEST_ID, error)
