"""Figures that are infinite are written so that readers and programs understand them."""

import math

import msgspec
import pytest

from foretaste.evaluation.bootstrap import Interval
from foretaste.evaluation.figures import factor, percent, written

ENDLESS = Interval(value=math.inf, low=2.0, high=math.inf)


def test_what_is_written_as_json_is_read_again_as_what_it_was():
    again = msgspec.json.decode(msgspec.json.encode(written({"factors": [ENDLESS], "least": -math.inf})))
    assert [float(again["factors"][0][end]) for end in ("value", "low", "high")] == [math.inf, 2.0, math.inf]
    assert float(again["least"]) == -math.inf
    assert written({"unknown": math.nan, "n": 3, "text": "a"}) == {"unknown": None, "n": 3, "text": "a"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (percent(0.125), "+12.5%"),
        (percent(math.inf), "infinite"),
        (factor(1.25), "1.25"),
        (factor(math.inf), "infinite"),
    ],
)
def test_in_words_they_are_called_so(words, expected):
    assert words == expected
