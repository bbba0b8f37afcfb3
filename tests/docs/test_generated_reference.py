"""The reference pages say what the code says."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("generate_reference", ROOT / "scripts/generate_reference.py")
assert SPEC
assert SPEC.loader
generate_reference = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate_reference)


@pytest.mark.parametrize("name", generate_reference.PAGES)
def test_the_page_is_what_the_script_writes(name: str) -> None:
    page = (ROOT / "docs/reference" / name).read_text(encoding="utf-8")
    assert page == generate_reference.rendered(name), "run `python scripts/generate_reference.py`"
