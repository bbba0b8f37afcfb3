"""Explicit settings of factor models and descriptions override what the program would choose."""

from foretaste.models.dense_content import LatentConfig, VectorsConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.training.remembering import with_chosen
from foretaste.training.sources import usual_sources, with_sizes

SOURCES = {
    "ials": IALSConfig(),
    "latent": LatentConfig(),
    "vectors": VectorsConfig(),
    "popularity": PopularityConfig(),
}


def test_what_is_not_given_stays_as_it_is():
    assert with_sizes(SOURCES) == SOURCES


def test_factors_and_regularization_are_those_of_the_factor_model():
    sized = with_sizes(SOURCES, factors=100, regularization=0.01)
    assert (sized["ials"].dim, sized["ials"].regularization) == (100, 0.01)
    assert {name: sized[name] for name in sized if name != "ials"} == {
        name: SOURCES[name] for name in SOURCES if name != "ials"
    }


def test_a_regularization_that_is_given_or_was_chosen_holds_on_a_log_of_any_density():
    quick = usual_sources(timed=False, effort="quick")
    assert quick["ials"].chosen_beside is not None
    for sources in (
        with_sizes(quick, regularization=0.3),
        with_chosen(quick, {"ials": {"regularization": 0.3}}),
    ):
        assert (sources["ials"].regularization, sources["ials"].chosen_beside) == (0.3, None)


def test_descriptions_are_reduced_to_as_many_dimensions_as_are_given():
    sized = with_sizes(SOURCES, embedding_dim=384)
    assert (sized["latent"].dim, sized["vectors"].dim) == (384, 384)
    assert sized["ials"] == SOURCES["ials"]
