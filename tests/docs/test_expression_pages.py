"""The pages about filters and boosts know every function and setting, and show nothing that is not one."""

import re
from pathlib import Path

import pytest

from foretaste.app.settings import Settings
from foretaste.features.expressions.compiled import compiled_boost
from foretaste.features.expressions.functions import DEEDS, FUNCTIONS

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "expressions.md").read_text(encoding="utf-8")
HOW_TO = (DOCS / "how-to" / "filter-and-boost.md").read_text(encoding="utf-8")
ADVICE = [
    text
    for row in re.findall(r"^\| (?!to \|)[a-z][^|]* \| (.*) \|$", HOW_TO, re.MULTILINE)
    for text in re.findall(r"`([^`]+)`", row)
]


@pytest.mark.parametrize("text", ADVICE)
def test_what_the_how_to_advises_can_be_asked(text):
    assert compiled_boost(text).parts


def test_there_is_advice_to_ask():
    assert len(ADVICE) >= 12


@pytest.mark.parametrize("name", [*FUNCTIONS, *DEEDS])
def test_every_function_and_deed_is_in_the_reference(name):
    assert re.search(rf"`{name}\b", REFERENCE)


@pytest.mark.parametrize(
    "name", [name for name in Settings.__struct_fields__ if name.startswith("expression_")]
)
def test_every_limit_is_in_the_reference_with_its_default(name):
    default = next(
        value
        for field, value in zip(Settings.__struct_fields__, Settings.__struct_defaults__, strict=True)
        if field == name
    )
    assert f"| `{name}` | {default:,} |" in REFERENCE
