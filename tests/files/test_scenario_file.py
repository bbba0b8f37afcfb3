"""Scenarios in a file: read as they were written, and refused with file, line and key."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.adapters.files.scenario_file import (
    MOST_BYTES,
    ScenarioFileError,
    parse_scenarios,
    read_scenario_file,
    scenario_text,
)
from foretaste.domain.slate_rules import Quota, Rest, SlateRules, Slot
from foretaste.events.vocabulary import KNOWN_TYPES
from foretaste.features.expressions.compiled import compiled_boost, compiled_filter
from foretaste.models.kinds import MODEL_KINDS
from foretaste.pipeline.recipes import Around, check_recipe, check_together
from foretaste.pipeline.scenario import SHIPPED, Scenario
from foretaste.training.sources import usual_sources

SOURCES = sorted({*MODEL_KINDS, *usual_sources(effort="best")})
AROUND = Around(
    sources=SOURCES,
    types=KNOWN_TYPES,
    check=lambda kind, text: compiled_filter(text) if kind == "filter" else compiled_boost(text),
)


def check(found):
    for scenario in found.values():
        check_recipe(scenario, AROUND)
    check_together({**SHIPPED, **found})


def parsed(text):
    return parse_scenarios(text, "scenarios.toml", SHIPPED, check)


def refusal(text):
    with pytest.raises(ScenarioFileError) as raised:
        parsed(text)
    return raised.value


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
SHARES = st.floats(0.0, 1.0)
RULES = st.builds(
    SlateRules,
    quotas=st.lists(st.builds(Quota, each=st.just("category"), at_most=st.integers(1, 9)), max_size=1).map(
        tuple
    ),
    slots=st.lists(st.builds(Slot, place=st.integers(1, 9), item_id=st.just("i")), max_size=1).map(tuple),
    forbidden=st.lists(TEXTS.filter(bool), max_size=2, unique=True)
    .map(tuple)
    .filter(lambda ids: "i" not in ids),
    rest=st.none() | st.builds(Rest, impressions=st.integers(1, 9)),
    own_mix=st.none() | SHARES,
)
RECIPES = st.builds(
    Scenario,
    name=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True),
    title=TEXTS,
    history=st.sampled_from(["user", "session", "latest", "items", "nothing"]),
    candidates=st.sampled_from(["catalog", "items"]),
    newest=st.integers(0, 1_000_000),
    sources=st.just("all") | st.lists(st.sampled_from(SOURCES)).map(tuple),
    cold_sources=st.lists(st.sampled_from(SOURCES)).map(tuple),
    weights=st.dictionaries(st.sampled_from(SOURCES), st.floats(0.0, 1000.0)),
    ranker=st.booleans(),
    per_source=st.integers(1, 10_000),
    consumed=st.frozensets(st.sampled_from(KNOWN_TYPES)),
    filter=st.lists(st.sampled_from(["price < 20", 'brand == "a \\" # b"', "not purchased within 30d"])).map(
        tuple
    ),
    boost=st.lists(st.sampled_from(["on_sale : 1.5", "0.2 * recency(published, 7d)"])).map(tuple),
    diversity_lambda=SHARES,
    diversity_threshold=SHARES,
    serendipity_weight=SHARES,
    popularity_correction=SHARES,
    rotate_categories=st.booleans(),
    boost_seconds=st.floats(0.0, 1e9),
    rules=st.none() | RULES,
    k=st.integers(1, 1000),
    budget_ms=st.floats(0.0, 60_000.0),
)


@settings(max_examples=50)
@given(RECIPES)
def test_a_recipe_that_is_written_and_read_again_is_the_same(recipe):
    base = {recipe.name: msgspec.structs.replace(SHIPPED["discover"], name=recipe.name)}
    found = parse_scenarios(scenario_text(recipe), "scenarios.toml", base, lambda _: None)
    assert found == {recipe.name: recipe}
    assert found[recipe.name].version == recipe.version


@pytest.mark.parametrize("scenario", SHIPPED.values(), ids=lambda scenario: scenario.name)
def test_what_ships_can_be_written_into_a_file(scenario):
    assert parsed(scenario_text(scenario)) == {scenario.name: scenario}


def test_what_a_table_does_not_say_is_as_in_the_shipped_one_of_its_name():
    found = parsed('[discover]\nk = 7\n[landing]\ntitle = "Hello"\n')
    assert found["discover"] == msgspec.structs.replace(SHIPPED["discover"], k=7)
    assert found["landing"] == Scenario(name="landing", title="Hello")


BAD = {
    "a key that there is not": ("[home]\n\ndiversity_lamda = 0.5", 3, "did you mean diversity_lambda?"),
    "a wrong type": ('[home]\ndiversity_lambda = "high"', 2, "write it as diversity_lambda = 0.8"),
    "out of range": ("[home]\ndiversity_lambda = 1.5", 2, "`float` <= 1.0"),
    "a wrong word": ('[home]\nhistory = "users"', 2, "history"),
    "a wrong element": ('[home]\nfallback = [\n "trending",\n 3,\n]', 4, "home.fallback[1]"),
    "a bad filter": ('[home]\nfilter = ["a < 1", "price <"]', 2, "home.filter[1]"),
    "a bad boost": ('[home]\nboost = [\n  "3 :",\n]', 3, "home.boost[0]"),
    "a bad filter of a rule": (
        '[home.rules]\nquotas = [\n  { filter = "price <", at_most = 3 },\n]',
        3,
        "home.rules.quotas[0].filter",
    ),
    "an unknown key of a rule": (
        "[home.rules]\nquota = []",
        2,
        "home.rules.quota: there is no such key here",
    ),
    "a rule that says nothing": ('[home.rules]\nquotas = [{ each = "category" }]', 2, "at_most"),
    "an unknown source": ('[home]\nsources = ["ials",\n "nfm"]', 3, "did you mean 'nmf'?"),
    "an unknown source of weights": ("[home.weights]\nials = 1\nnfm = 2", 3, "home.weights.nfm"),
    "an unknown event": ('[home]\nconsumed = ["purchse"]', 2, "did you mean 'purchase'?"),
    "an unknown fallback": ('[home]\nfallback = ["trendy"]', 2, "did you mean 'trending'?"),
    "a circle": ('[a]\nfallback = ["b"]\n[b]\nfallback = ["c"]\n[c]\nfallback = ["a"]', 2, "a → b → c → a"),
    "an unknown shadow": ('[home]\nshadow = "hom"', 2, "did you mean 'home'?"),
    "its own shadow": ('[home]\nshadow = "home"', 2, "its own shadow"),
    "no table": ("k = 3", 1, "into the table"),
    "a bad name": ('\n["Home Page"]', 2, "0 to 9"),
    "no TOML": ("[home]\nk = 3\nk = 4", 3, "not valid TOML"),
    "a value of another kind": ("[home]\nk = 1979-05-27", 2, "home.k"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_wrong_is_named_with_file_line_and_remedy(kind):
    text, line, remedy = BAD[kind]
    error = refusal(text)
    assert error.line == line
    assert error.message.startswith(f"scenarios.toml, line {line}")
    assert remedy in error.message


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ('[home]\nfilter = ["price <"]', 19),
        ("[home]\nfilter = ['price <']", 19),
        ('[home]\nfilter = ["""price <"""]', 11),
        ('[home]\nfilter = ["\\u0070rice <"]', 11),
    ],
)
def test_the_column_of_an_expression_is_named_where_it_is_written_plainly(text, column):
    error = refusal(text)
    assert error.column == column
    assert f"column {column}" in error.message
    assert "price <\n" in error.message


def test_there_is_a_most_of_scenarios():
    assert "at most 200" in refusal("".join(f"[s{number}]\n" for number in range(201))).message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[home]\nk = \xff", "line 2"),
        (b"#" * (MOST_BYTES + 1), "bytes"),
        (b"[home]\nk = " + b"[" * 20_000, "nested"),
    ],
)
def test_a_file_that_can_be_none_is_refused(tmp_path, content, said):
    path = tmp_path / "scenarios.toml"
    path.write_bytes(content)
    with pytest.raises(ScenarioFileError, match=said):
        parsed(read_scenario_file(path))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ScenarioFileError, match=r"nowhere\.toml: the file cannot be read"):
        read_scenario_file(tmp_path / "nowhere.toml")
