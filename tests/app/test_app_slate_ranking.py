"""A ranker of slates is learnt from a home's exposures, by the process that owns it or beside it."""

import time

import msgspec
import numpy as np
import pytest

from foretaste.app.cli.train import report_text
from foretaste.app.learning import train_home
from foretaste.app.settings import Settings
from foretaste.app.stores import EXPOSURES
from foretaste.app.wiring import open_home
from foretaste.domain.event import Event
from foretaste.domain.item import Item
from foretaste.domain.slate import Exposure, Versions

N_ITEMS, N_PEOPLE, PLACES, STEPS = 40, 110, 6, 28
SECOND = 1_000_000
SETTINGS = Settings(sources=("popularity", "popularity_day"))
VERSIONS = Versions(
    state_seq=1, item_state_seq=1, catalog_version=1, artifact="a", blend="b", scenario="home"
)


def shown_and_clicked():
    """Return exposures at random and clicks of people on those of their own kind, all of the last days."""
    generator = np.random.default_rng(0)
    begin = time.time_ns() // 1_000 - STEPS * N_PEOPLE * 60 * SECOND
    exposures, clicks = [], []
    for number in range(STEPS * N_PEOPLE):
        user, now = number % N_PEOPLE, begin + number * 60 * SECOND
        items = generator.permutation(N_ITEMS)[:PLACES].tolist()
        exposures.append(
            Exposure(
                recommendation_id=f"slate-{number}",
                user_id=f"u{user}",
                scenario="home",
                source="personalized",
                time=now,
                items=tuple(items),
                scores=(0.0,) * PLACES,
                propensities=(1.0,) * PLACES,
                versions=VERSIONS,
            )
        )
        clicks += [
            Event(
                event_id=f"{number}-{item}",
                user_id=f"u{user}",
                item_id=f"i{item}",
                type="click",
                timestamp=now + SECOND * (place + 1),
            )
            for place, item in enumerate(items)
            if generator.random() < (0.6 if item % 2 == user % 2 else 0.05)
        ]
    return exposures, clicks


@pytest.fixture
def directory(tmp_path):
    """A home without a model; one of its slates shows what a reader's id map may not know yet."""
    exposures, clicks = shown_and_clicked()
    items = [
        Item(item_id=f"i{number}", text="calm quiet slow" if number % 2 else "loud quick bright")
        for number in range(N_ITEMS)
    ]
    with open_home(tmp_path / "home", settings=SETTINGS, create=True) as home:
        home.put_items(items)
        home.log.submit(clicks).result()
        unknown = msgspec.structs.replace(exposures[-1], recommendation_id="later", items=(N_ITEMS + 5, 3))
        for exposure in (*exposures, unknown):
            home.exposures.record(exposure)
    return tmp_path / "home"


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
        assert sum(1 for _ in owner.exposures.read()) == before
