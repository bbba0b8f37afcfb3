"""The error of the language: what is wrong, what to do, and a mark under the character."""

from collections.abc import Iterable
from difflib import get_close_matches

from foretaste.domain.errors import InvalidQueryError

_SHOWN = 72
"""Characters of a long expression that a message shows around the place."""


class ExpressionError(InvalidQueryError):
    """An expression cannot be used. `at` is the place of the character concerned, from 0.

    The message says what is wrong and what to write instead, then shows the expression with a mark below.
    """

    def __init__(self, problem: str, text: str, at: int, *, field: str | None = None) -> None:
        self.problem, self.text, self.at = problem, text, min(max(at, 0), len(text))
        start = f"{field}: " if field else ""
        super().__init__(
            f"{start}{problem}, at character {self.at + 1}\n{marked(text, self.at)}", field=field
        )

    def about(self, field: str) -> "ExpressionError":
        """Return the same error with the parameter that it is about."""
        return ExpressionError(self.problem, self.text, self.at, field=field)


def marked(text: str, at: int) -> str:
    """Return two lines: the part of `text` around `at`, and a caret under that character."""
    start = max(0, min(at - _SHOWN // 2, len(text) - _SHOWN))
    before, after = ("…" if start else ""), ("…" if start + _SHOWN < len(text) else "")
    line = before + text[start : start + _SHOWN] + after
    line = "".join(character if character.isprintable() else " " for character in line)
    return f"  {line}\n  {' ' * (at - start + len(before))}^"


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the names of `known` that are most like `name`, the likest first; none that are far off."""
    folded: dict[str, str] = {}
    for one in sorted(known):
        folded.setdefault(one.casefold(), one)
    return [folded[found] for found in get_close_matches(name.casefold(), folded, n=most, cutoff=0.6)]
