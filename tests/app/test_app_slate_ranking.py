"""A ranker of slates is learnt from a home's exposures, by the process that owns it or beside it."""

import pytest
from slate_home import SETTINGS, a_home_with_slates

from foretaste.app.cli.train import report_text
from foretaste.app.learning import train_home
from foretaste.app.stores import EXPOSURES
from foretaste.app.wiring import open_home


@pytest.fixture
def directory(tmp_path):
    return a_home_with_slates(tmp_path / "home")


def words(report):
    return "\n".join(str(part) for part in report_text(report).renderables)


def test_training_beside_the_owner_learns_from_what_was_shown(directory):
    with open_home(directory, settings=SETTINGS, read_only=True, with_model=False) as reader:
        report = train_home(reader, effort="quick")
    assert "the ranker orders" in report.ranker
    assert f"ranker of slates: {report.ranker}" in words(report)
    with open_home(directory, settings=SETTINGS) as owner:
        assert owner.artifact.ranker is not None


def test_a_home_that_showed_nothing_says_so(directory):
    (directory / EXPOSURES).unlink()
    with open_home(directory, settings=SETTINGS, read_only=True, with_model=False) as reader:
        report = train_home(reader, effort="quick")
    assert "0 slates with clicks of 0 people are too few" in words(report)


def test_a_reader_sees_the_exposures_of_its_owner_and_adds_none(directory):
    with open_home(directory, settings=SETTINGS) as owner:
        before = sum(1 for _ in owner.exposures.read())
        with open_home(directory, settings=SETTINGS, read_only=True) as reader:
            shown = reader.exposures.get("slate-7")
            assert shown.user_id == "u7"
            reader.exposures.record(shown)
            reader.exposures.flush()
            assert sum(1 for _ in reader.exposures.read()) == before
            times = [exposure.time for exposure in owner.exposures.read()]
            window = times[20], times[-20]
            assert list(reader.exposures.between(*window)) == list(owner.exposures.between(*window)) != []
        assert sum(1 for _ in owner.exposures.read()) == before
