"""Moments as they are typed at the command line."""

from foretaste.domain.errors import InvalidInputError
from foretaste.events.moments import parse_moment


def moment_of(written: str, option: str) -> int:
    """Return microseconds UTC; raise `InvalidInputError` that names the option."""
    try:
        return parse_moment(written)
    except ValueError as error:
        raise InvalidInputError(f"--{option.replace('_', '-')}: {error}", field=option) from error
