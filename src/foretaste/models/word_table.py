"""Known terms as bytes, and texts counted in them without a step of Python for each word.

What the terms of an item are is said by `foretaste.models.terms`: this does the same. Texts of ASCII are cut
into words here; others come cut already.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.item import Item
from foretaste.domain.kernel import inner_kernel, kernel, variable
from foretaste.models.sorting import rise
from foretaste.models.term_rows import Row, TermRows
from foretaste.models.terms import LONGEST_TERM, MOST_TEXT, marked, values, words

Bytes = NDArray[np.uint8]

AT_ONCE = 512
"""So many items are counted at a time: bounds what is needed beside the rows."""
_PLAIN, _CUT, _WHOLE = range(3)
"""A text of ASCII; words with a line feed after each; one term."""
_LINE_FEED, _APOSTROPHE = 10, 39
_START, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
"""Of the hash FNV-1a (Fowler, Noll, Vo)."""

LOWER: Bytes = np.array(
    [ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else 0 for code in range(256)], np.uint8
)
"""The small letter or digit that a character of ASCII is; 0 for what is none."""

Part = tuple[int, int, int, bytes]
"""The place of an item, what of it a text is, how often it counts, and the text."""


@dataclass(frozen=True, slots=True, eq=False)
class WordTable:
    """Term n is `letter[end[n - 1]:end[n]]`, UTF-8; `slot`, int32, has numbers of terms by hash, or -1."""

    letter: Bytes
    end: Int64s
    slot: Ordinals


def word_table(number: Mapping[str, int]) -> WordTable:
    """Return the table of terms, numbered in their order."""
    encoded = [_encoded(term) for term in number]
    letter = np.frombuffer(b"".join(encoded), np.uint8)
    end = np.cumsum([len(term) for term in encoded], dtype=np.int64)
    slot = np.full(1 << (2 * len(encoded) + 2).bit_length(), -1, np.int32)
    _fill(letter, end, slot)
    return WordTable(letter, end, slot)


def counted_rows(table: WordTable, idf: Floats, items: Sequence[Item | None]) -> TermRows:
    """Return the items' known terms, rising, and their TF-IDF weights at unit length; none for None."""
    found = [_counted(table, idf, items[at : at + AT_ONCE]) for at in range(0, len(items), AT_ONCE)]
    length = np.concatenate([np.empty(0, np.int64), *(own for own, _ in found)])
    return TermRows(
        start=np.concatenate(([0], np.cumsum(length))).astype(np.int64),
        term=np.concatenate([np.empty(0, np.int32), *(row[0] for _, row in found)]),
        weight=np.concatenate([np.empty(0, np.float32), *(row[1] for _, row in found)]),
        digest=np.empty(0, np.int64),
    )


def _counted(table: WordTable, idf: Floats, items: Sequence[Item | None]) -> tuple[Int64s, Row]:
    """Return how many known terms each item has, int64, and their rows after one another."""
    parts = [part for at, item in enumerate(items) if item is not None for part in _parts(at, item)]
    texts = [part[3] for part in parts]
    told = np.array([part[:3] for part in parts], np.int64).reshape(-1, 3)
    end = np.cumsum([len(text) for text in texts], dtype=np.int64)
    length = np.zeros(len(items), np.int64)
    text = np.frombuffer(b"".join(texts), np.uint8)
    row: Row = _weigh(table.letter, table.end, table.slot, idf, text, end, told, length)
    return length, row


def _parts(at: int, item: Item) -> Iterable[Part]:
    yield _part(at, 1, item.text)
    if item.title:
        yield _part(at, 2, item.title)
    for category in item.categories:
        yield _part(at, 1, category)
        yield at, _WHOLE, 1, _encoded(marked(category))
    for value in values(item):
        yield at, _WHOLE, 1, _encoded(marked(value))


def _part(at: int, times: int, text: str) -> Part:
    if text.isascii():
        return at, _PLAIN, times, text[:MOST_TEXT].encode()
    return at, _CUT, times, _encoded("".join([f"{word}\n" for word in words(text)]))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@kernel
def _fill(letter: Bytes, end: Int64s, slot: Ordinals) -> None:
    begin = 0
    for number in range(len(end)):
        code = _START
        for place in range(begin, end[number]):
            code = (code ^ np.uint64(letter[place])) * _PRIME
        at = _first(code, slot)
        while slot[at] >= 0:
            at = (at + 1) & (len(slot) - 1)
        slot[at] = number
        begin = end[number]


@kernel
def _weigh(
    letter: Bytes,
    end: Int64s,
    slot: Ordinals,
    idf: Floats,
    text: Bytes,
    text_end: Int64s,
    told: Int64s,
    length: Int64s,
) -> Row:
    """Return the rows of all items, whose `length` is written; row k of `told` is of the kth text.

    It holds the place of an item, rising, what the text is, and how often it counts.
    """
    count, found = np.zeros(len(idf), np.float32), np.zeros(1, np.int64)
    room = len(text) // 2 + len(text_end) + 1
    term, weight = np.empty(room, np.int32), np.empty(room, np.float32)
    n, part, at = 0, 0, variable(0)
    for item in range(len(length)):
        first = n
        while part < len(text_end) and told[part, 0] == item:
            times = np.float32(told[part, 2])
            while at < text_end[part]:
                at = _next(letter, end, slot, text, at, text_end[part], told[part, 1], found)
                known = found[0]
                if known >= 0:
                    if count[known] == np.float32(0.0):
                        term[n] = known
                        n += 1
                    count[known] += times
            part += 1
        length[item] = n - first
        _finish(idf, count, term[first:n], weight[first:n])
    return term[:n].copy(), weight[:n].copy()


@inner_kernel
def _next(
    letter: Bytes, end: Int64s, slot: Ordinals, text: Bytes, at: int, stop: int, kind: int, found: Int64s
) -> int:
    """Return where the next word before `stop` ends; write its number, -1 for one not known or no word."""
    found[0] = -1
    if kind != _PLAIN:
        last = stop
        if kind == _CUT:
            last = at
            while text[last] != _LINE_FEED:
                last += 1
        found[0] = _number_of(letter, end, slot, text, at, last, kind == _PLAIN)
        return last + (kind == _CUT)
    while at < stop and not LOWER[text[at]]:
        at += 1
    last = at
    while last < stop and LOWER[text[last]]:
        last += 1
    if last + 1 < stop and last > at and text[last] == _APOSTROPHE and LOWER[text[last + 1]]:
        last += 1
        while last < stop and LOWER[text[last]]:
            last += 1
    if last > at:
        found[0] = _number_of(letter, end, slot, text, at, min(last, at + LONGEST_TERM), kind == _PLAIN)
    return last


@inner_kernel
def _number_of(
    letter: Bytes, end: Int64s, slot: Ordinals, text: Bytes, start: int, stop: int, is_plain: bool
) -> int:
    """Return the number of the term from `start` to before `stop`, -1 if it is not known."""
    code = _START
    for place in range(start, stop):
        code = (code ^ np.uint64(_small(text[place], is_plain))) * _PRIME
    at = _first(code, slot)
    while slot[at] >= 0:
        number = slot[at]
        begin = end[number - 1] if number else 0
        if end[number] - begin == stop - start:
            k = 0
            while start + k < stop and letter[begin + k] == _small(text[start + k], is_plain):
                k += 1
            if start + k == stop:
                return int(number)
        at = (at + 1) & (len(slot) - 1)
    return -1


@inner_kernel
def _small(character: int, is_plain: bool) -> int:
    """Return a character of a plain text as a small letter, and one of other texts as it is."""
    return LOWER[character] or character if is_plain else character


@inner_kernel
def _first(code: np.uint64, slot: Ordinals) -> int:
    """Return where a term with this hash is looked for first."""
    return int(np.int64((code ^ (code >> np.uint64(32))) & np.uint64(len(slot) - 1)))


@kernel
def _finish(idf: Floats, count: Floats, term: Ordinals, weight: Floats) -> None:
    """Put the terms of one item in order, write their weights, and let go of their counts."""
    rise(term)
    squares = np.float32(0.0)
    for k in range(len(term)):
        weight[k] = (np.float32(1.0) + np.log(count[term[k]])) * idf[term[k]]
        squares += weight[k] * weight[k]
        count[term[k]] = np.float32(0.0)
    if squares > np.float32(0.0):
        scale = np.sqrt(squares)
        for k in range(len(weight)):
            weight[k] /= scale
