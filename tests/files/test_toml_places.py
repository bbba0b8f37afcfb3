"""Every key of a TOML text is found on its line, whatever way it is written."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.adapters.files.toml_places import nearest_place, paths_of, places_of
from foretaste.adapters.files.toml_text import key_text, table_text, value_text

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
PLAIN = st.one_of(
    TEXTS, st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=8
)
TABLES = st.dictionaries(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=5), max_size=4)

WRITTEN = '''# a comment with [brackets] and = signs
title = "all" # and another

[home]   # the first
k = 10
filter = [
  "price < 20", # a comment, with a comma
  'brand == "a # b"',
  """
several
lines""",
]
weights = { popularity = 0.5, "a.b" = 1 }
when.it.rains = true

[ cart . "with a dot." ]
k = 12
[[shop]]
name = \'\'\'it's\'\'\'
[[shop]]
name = "b\\"]"
[shop.inner]
x = 1979-05-27T07:32:00Z
'''


def text_of(tables):
    return "# begin\n\n" + "\n".join(table_text([name], values) for name, values in tables.items())


@settings(max_examples=50)
@given(TABLES)
def test_what_is_written_is_read_again(tables):
    assert tomllib.loads(text_of(tables)) == tables


@settings(max_examples=50)
@given(TABLES)
def test_every_value_has_a_place_and_begins_there(tables):
    text = text_of(tables)
    places = places_of(text)
    for path in paths_of(tables):
        place = places[path]
        line = text.split("\n")[place.line - 1]
        if isinstance(path[-1], str):
            header = f"[{key_text(path[-1])}]"
            assert line[place.column - 1 :].startswith((key_text(path[-1]), header))
        if len(path) > 1:
            value = tables
            for step in path:
                value = value[step]
            assert text[place.value :].startswith(value_text(value))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("home",), 4),
        (("home", "k"), 5),
        (("home", "filter"), 6),
        (("home", "filter", 0), 7),
        (("home", "filter", 1), 8),
        (("home", "filter", 2), 9),
        (("home", "weights", "a.b"), 13),
        (("home", "when", "it", "rains"), 14),
        (("cart", "with a dot.", "k"), 17),
        (("shop", 0, "name"), 19),
        (("shop", 1, "name"), 21),
        (("shop", 1, "inner", "x"), 23),
    ],
)
def test_each_way_of_writing_is_understood(path, line):
    assert places_of(WRITTEN)[path].line == line


def test_lines_of_windows_are_counted_as_others():
    assert places_of(WRITTEN.replace("\n", "\r\n")) == places_of(WRITTEN)


def test_what_is_not_there_is_where_it_would_be():
    assert nearest_place(places_of(WRITTEN), ("home", "weights", "new", 3)).line == 13
    assert nearest_place(places_of(WRITTEN), ("nowhere",)) is None


def test_what_toml_has_not_is_refused():
    with pytest.raises(TypeError, match="no set"):
        value_text({1})
