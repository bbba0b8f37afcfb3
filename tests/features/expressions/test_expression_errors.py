"""Every error says what is wrong and what to write instead, and points at the character."""

import pytest

from foretaste.features.expressions.checking import Known
from foretaste.features.expressions.compiled import checked_boost, checked_filter, compiled_filter
from foretaste.features.expressions.errors import ExpressionError
from foretaste.features.expressions.limits import Limits

WRONG = {
    "prcie < 20": (0, "did you mean price?"),
    "qqq < 20": (0, "there are available_from, available_until, brand"),
    'price < "cheap"': (6, '< cannot compare price (a number) with "cheap" (a text)'),
    "brand == 5": (6, "== cannot compare brand (a text) with 5 (a number)"),
    'published > "yesterday"': (12, "write ISO 8601"),
    "price < 20 < 30": (11, "write a < b and b < c"),
    "price && on_sale": (6, "write and"),
    "price < 20usd": (10, "durations are written with s, m, h, d or w"),
    "(price < 3": (0, "this parenthesis is not closed"),
    "price": (0, "price is a number; needed is a condition"),
    '"x" in price': (7, "price is a number, not a list"),
    'lowr(brand) == "x"': (0, "did you mean lower?"),
    "brand in ()": (10, "name at least one value"),
    "now() + now() > price": (8, "needed is a duration"),
    "": (0, "the expression is empty"),
    "price < ": (8, "a value is missing"),
    "price < 5 brand": (10, "join conditions with `and` or `or`"),
    'brand == "acme': (9, "close it with"),
    'brand == "a\\q"': (11, "after \\ in a text"),
    "category < 3": (9, "category must be a number"),
    "on_sale + 1 > 3": (0, "on_sale is true or false"),
    "user.agee > 3": (0, "did you mean age?"),
    "user > 3": (0, "user needs a name, as in user.age"),
    'did("purchse")': (0, "did you mean purchase?"),
    "purchased within 30": (17, "comes a duration"),
    "price is 3": (9, "after `is` comes `missing`"),
    "not": (3, "a value is missing"),
    "brand not like 3": (10, "after `not` comes `in`"),
    "recency(published)": (0, "recency is written as recency(published, 7d)"),
    "if on_sale then price > 3": (25, "an `if` needs an `else`"),
    "any (price)": (4, "after `any` comes `of`"),
    "price ! 3": (6, "write not"),
    "price < 1e999": (8, "this number is too large"),
}


@pytest.fixture(name="known")
def _known(shop) -> Known:
    return Known(shop.schema, ("age",), ("view", "purchase"))


@pytest.mark.parametrize("text", WRONG)
def test_the_error_names_the_remedy_and_the_place(text, known):
    at, said = WRONG[text]
    with pytest.raises(ExpressionError) as raised:
        checked_filter(text, known)
    assert said in raised.value.message
    assert raised.value.at == at
    assert raised.value.message.splitlines()[-1] == f"{' ' * (2 + at)}^"


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("on_sale", 7, "add by what factor, as on_sale : 1.5"),
        ("price : 2", 0, "before the colon stands a condition"),
        ("on_sale : -1", 10, "a factor is above 0"),
        ("on_sale : 2 : 3", 12, "a colon stands only in a boost"),
        ("brand", 0, "needed is a number"),
    ],
)
def test_a_boost_that_cannot_be_one_says_so(known, text, at, said):
    with pytest.raises(ExpressionError) as raised:
        checked_boost(text, known)
    assert said in raised.value.message
    assert raised.value.at == at


def test_a_long_expression_is_shown_around_the_place(known):
    text = " and ".join(["price < 20"] * 30 + ["prcie < 20"])
    with pytest.raises(ExpressionError) as raised:
        checked_filter(text, known)
    _, line, mark = raised.value.message.splitlines()
    assert len(line) < 90
    assert line[len(mark) - 1 :].startswith("prcie")


@pytest.mark.parametrize(
    ("text", "limits", "said"),
    [
        ("price < 20 and on_sale", Limits(length=10), "has 22 characters, at most 10"),
        ("((((price < 20))))", Limits(depth=3), "nested more than 3 deep"),
        ("price + 1 + 1 + 1 + 1 > 3", Limits(depth=3), "nested more than 3 deep"),
        ("price in (1, 2, 3, 4)", Limits(nodes=4), "more than 4 values and operations"),
        ('contains(lower(brand), "x")', Limits(cost=9), "costs 20 steps over the catalog, at most 9"),
    ],
)
def test_limits_are_said_with_what_is_allowed(text, limits, said):
    with pytest.raises(ExpressionError, match=said):
        compiled_filter(text, limits)


def test_what_nobody_did_or_was_told_yet_is_no_error_unless_it_looks_like_a_slip(known):
    checked_filter('not did("bookmark") and user.shoe_size > 40', known)
