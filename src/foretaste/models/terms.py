"""Texts as words, in any script."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from operator import is_not

from foretaste.domain.item import Item

CATEGORY_MARK = "\x1f"
"""Stands before a category that is a term as a whole, so that it differs from a word of the same spelling."""
LONGEST_TERM = 40
MOST_TEXT = 20_000
"""Characters of an item's text that are read."""

FEW_WORDS = 5
"""A value of an attribute that has more words is prose."""
_BETWEEN = re.compile(r"\s*[|;,]\s*")

_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff"
    "\u0e31-\u0e4e\u0eb1-\u0ece\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3"
)
"""Vowel and other marks that belong to the letter before them, though Python counts them to no word."""
_ASCII_WORD = re.compile("[a-z0-9]+(?:'[a-z0-9]+)?")
"""What `_WORD` comes to in texts of ASCII in lower case."""
_WORD = re.compile(rf"\w[\w{_MARKS}]*(?:['\u2019]\w+)?")
"""In texts without underlines, which belong to no word."""
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)
"""Thai, Lao, Burmese, Khmer, Japanese kana and Han: written without spaces between words."""


def words(text: str) -> list[str]:
    """Return the words of `text` in one case and form; of scripts without spaces, pairs of characters."""
    text = text[:MOST_TEXT]
    if text.isascii():
        return _cut(_ASCII_WORD.findall(text.lower()))
    text = unicodedata.normalize("NFKC", text).casefold().replace("_", " ")
    found = _cut(_WORD.findall(text))
    if not _WITHOUT_SPACES.search(text):
        return found
    return [part for word in found for part in _parts(word)]


def _cut(found: list[str]) -> list[str]:
    if max(map(len, found), default=0) > LONGEST_TERM:
        return [word[:LONGEST_TERM] for word in found]
    return found


def _parts(word: str) -> Iterator[str]:
    """Yield a word's runs of letters, and pairs of characters of its runs without spaces."""
    rest = 0
    for run in _WITHOUT_SPACES.finditer(word):
        if run.start() > rest:
            yield word[rest : run.start()]
        characters = run.group()
        yield from (characters[i : i + 2] for i in range(max(1, len(characters) - 1)))
        rest = run.end()
    if rest < len(word):
        yield word[rest:]


def terms(item: Item) -> Mapping[str, int]:
    """Return how often each term occurs in the item's title (twice), text, categories and attributes.

    A category counts as its words and, marked, as a whole; of an attribute see `values`.
    """
    counts: Counter[str] = Counter(words(item.text))
    for word in words(item.title):
        counts[word] += 2
    for category in item.categories:
        counts.update(words(category))
        counts[marked(category)] += 1
    counts.update(marked(value) for value in values(item))
    return counts


def values(item: Item) -> Iterator[str]:
    """Yield the values of an item's attributes that are text, each with its name: `maker=ash`.

    An attribute of several values has them in one text, with `|`, `;` or `,` between. Prose is none.
    """
    for name, value in item.attributes.items():
        if isinstance(value, str):
            parts = _BETWEEN.split(value.strip())
            yield from (f"{name}={part}" for part in parts if part and part.count(" ") < FEW_WORDS)


def marked(category: str) -> str:
    """Return the term that a category is as a whole."""
    return CATEGORY_MARK + category.casefold()[:LONGEST_TERM]


def replaced(before: Sequence[Item | None], items: Sequence[Item | None]) -> list[int]:
    """Return the ordinals of `items` that are other objects than before, rising."""
    known = min(len(before), len(items))
    return [*compress(range(known), map(is_not, items, before)), *range(known, len(items))]
