"""A recommendation id leads from a click to the versions that made the slate."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_world import NOW, a_manifest, a_query, a_world

from foretaste.domain.errors import InvalidQueryError
from foretaste.domain.slate import Versions
from foretaste.pipeline.artifact import assemble
from foretaste.pipeline.compose import answer
from foretaste.pipeline.identity import LENGTH, digest, make_id, parse_id

COUNT = st.integers(0, 2**63 - 1)
NAME = st.text(max_size=40)
VERSIONS = st.builds(
    Versions,
    state_seq=COUNT,
    item_state_seq=COUNT,
    catalog_version=st.integers(0, 2**32 - 1),
    artifact=NAME,
    blend=NAME,
    scenario=NAME,
    namespace=NAME,
)


@given(versions=VERSIONS, now=COUNT, seed=COUNT)
def test_an_id_says_when_and_from_what(versions, now, seed):
    name = make_id(a_query(now=now, seed=seed), versions)
    identity = parse_id(name)
    assert len(name) == LENGTH
    assert identity.time == now
    assert identity.came_from(versions)
    assert identity.artifact == digest(versions.artifact)
    assert not identity.came_from(msgspec.structs.replace(versions, state_seq=versions.state_seq + 1))
    assert not identity.came_from(msgspec.structs.replace(versions, artifact=versions.artifact + "x"))


@given(versions=VERSIONS, earlier=COUNT, later=COUNT)
def test_ids_sort_by_time(versions, earlier, later):
    names = [make_id(a_query(now=now), versions) for now in sorted((earlier, later))]
    assert names == sorted(names)


@given(versions=VERSIONS, one=COUNT, other=COUNT)
def test_the_seed_keeps_two_requests_of_one_moment_apart(versions, one, other):
    ids = {make_id(a_query(seed=seed), versions) for seed in (one, other)}
    assert len(ids) == len({one, other})


@given(st.text(max_size=80).filter(lambda text: len(text) != LENGTH))
def test_anything_else_is_refused_in_plain_words(text):
    with pytest.raises(InvalidQueryError) as refused:
        parse_id(text)
    assert refused.value.field == "recommendation_id"


def test_a_damaged_id_is_refused():
    name = make_id(
        a_query(),
        Versions(state_seq=1, item_state_seq=1, catalog_version=1, artifact="", blend="", scenario=""),
    )
    for damaged in (name[:-1], name + "A", "!" + name[1:], "ä" + name[1:], ""):
        with pytest.raises(InvalidQueryError, match="recommendation_id"):
            parse_id(damaged)


def test_a_slate_carries_its_versions_in_its_id():
    world = a_world()
    slate = answer(a_query(), world.view(3))
    identity = parse_id(slate.recommendation_id)
    assert identity.time == NOW
    assert identity.came_from(slate.versions)
    assert slate.versions.state_seq == world.state.seq
    assert slate.versions.artifact == slate.model_version == "v1"


def test_the_blend_version_follows_the_contents_of_blend_and_calibration():
    artifact = a_world().artifact
    same = assemble(artifact.models, artifact.blend, artifact.calibration, a_manifest("v2"))
    other = assemble(
        artifact.models, type(artifact.blend).even(("ials",)), artifact.calibration, a_manifest()
    )
    assert same.blend_version == artifact.blend_version != other.blend_version
    assert same.version == "v2"
