"""Where a parameter's values stand on the line from 0 to 1, and how configurations take them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.features.recency import Recency
from foretaste.models.ials import IALSConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.models.transitions import TransitionsConfig
from foretaste.training.proposals import proposals
from foretaste.training.search_space import SPACES, Parameter, space_of, values_of, with_values

PARAMETERS = [
    Parameter(path="linear", low=-1.0, high=3.0),
    Parameter(path="log", low=0.01, high=100.0, scale="log"),
    Parameter(path="absent", low=0.5, high=200.0, scale="log", absent=True),
    Parameter(path="relative", low=0.25, high=4.0, scale="log", relative=True),
    Parameter(path="whole", low=2, high=60, scale="log", whole=True),
    Parameter(path="choice", choices=(25, 50, None)),
]


@given(st.sampled_from(PARAMETERS), st.floats(0.0, 1.0))
def test_a_value_stands_where_it_came_from(parameter, place):
    value = parameter.value(place, 0.02)
    again = parameter.value(parameter.place(value, 0.02), 0.02)
    assert again == (value if value is None else pytest.approx(value, rel=1e-3, abs=1e-3))


def test_none_stands_at_the_end_where_the_highest_values_are():
    parameter = Parameter(path="half_life", low=1.0, high=64.0, scale="log", absent=True)
    assert parameter.value(1.0, None) is None
    assert parameter.value(0.87, None) == pytest.approx(64.0, rel=0.05)


def test_a_relative_parameter_stays_near_where_the_search_began():
    parameter = Parameter(path="regularization", low=0.25, high=4.0, scale="log", relative=True)
    assert parameter.value(0.0, 0.008) == 0.002
    assert parameter.value(1.0, 0.008) == 0.032
    assert parameter.place(0.008, 0.008) == pytest.approx(0.5)


def test_values_reach_into_nested_parts_of_a_configuration():
    config = TransitionsConfig(recency=Recency(half_life_events=3.0))
    changed = with_values(config, {"recency.power": 0.5, "events": 7})
    assert changed == TransitionsConfig(events=7, recency=Recency(half_life_events=3.0, power=0.5))


def test_a_part_that_was_left_open_is_made():
    assert with_values(IALSConfig(), {"recency.power": 0.5}).recency == Recency(power=0.5)


@pytest.mark.parametrize("kind", SPACES, ids=lambda kind: kind.__name__)
def test_every_declared_path_is_a_field_of_its_configuration(kind):
    space = space_of(kind(), timed=True, refit=True)
    halfway = {one.path: one.value(0.5, 1.0) for one in space}
    assert values_of(with_values(kind(), halfway), space) == halfway


def test_without_times_nothing_that_lives_on_order_is_searched():
    paths = {one.path for one in space_of(IALSConfig(), timed=False, refit=True)}
    assert "regularization" in paths
    assert not {"window", "recency.power"} & paths


def test_without_fits_only_what_changes_the_scoring_is_searched():
    space = space_of(IALSConfig(), timed=True, refit=False)
    assert {one.path for one in space} == {"recency.half_life_events", "recency.power"}


def test_what_declares_nothing_has_nothing_to_search():
    assert space_of(PopularityConfig(), timed=True, refit=True) == ()


@given(st.integers(0, 2**32 - 1), st.integers(0, 6))
def test_proposals_lie_in_their_space_and_are_new(seed, failures):
    space = space_of(TransitionsConfig(), timed=True, refit=True)
    best = values_of(TransitionsConfig(), space)
    found = proposals(space, best, best, 9, failures=failures, generator=np.random.default_rng(seed))
    assert best not in found
    assert all(0.0 <= values["discount"] <= 1.0 and 2 <= values["events"] <= 60 for values in found)
    assert len({str(values) for values in found}) == len(found)


def test_the_same_generator_proposes_the_same():
    space = space_of(IALSConfig(), timed=True, refit=True)
    start = values_of(IALSConfig(dim=128, regularization=0.004, unobserved=24.0), space)
    twice = [
        proposals(space, start, start, 5, failures=0, generator=np.random.default_rng(4)) for _ in range(2)
    ]
    assert twice[0] == twice[1]
