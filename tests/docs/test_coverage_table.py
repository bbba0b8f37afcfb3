"""The coverage page is complete and names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(
    r"^\| (?P<id>[PSLRM]\d+) \| (?P<what>[^|]+) \| (?P<state>[^|]+) \| (?P<tests>[^|]*) \|$", re.MULTILINE
)
ROWS = [
    match.groupdict()
    for match in ROW.finditer((ROOT / "docs/reference/coverage.md").read_text(encoding="utf-8"))
]
EXPECTED = [
    f"{family}{number}"
    for family, count in (("P", 16), ("S", 16), ("L", 11), ("R", 12), ("M", 8))
    for number in range(1, count + 1)
]


def test_every_row_is_listed_once() -> None:
    assert [row["id"] for row in ROWS] == EXPECTED


def test_every_row_has_a_state() -> None:
    assert {row["state"].strip() for row in ROWS} <= {"proven", "partly", "open"}


def test_what_is_not_open_names_tests_that_exist_and_budgets_a_benchmark() -> None:
    for row in ROWS:
        shown_by = "(?:tests|benchmarks)" if "budgets" in row["what"] else "tests"
        names = re.findall(rf"`({shown_by}/[^`]+)`", row["tests"])
        assert bool(names) == (row["state"].strip() != "open"), row["id"]
        for name in names:
            path, _, test = name.partition("::")
            source = (ROOT / path).read_text(encoding="utf-8")
            assert not test or f"def {test.split('::')[-1]}(" in source, f"{row['id']}: {name}"
