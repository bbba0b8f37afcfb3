"""The request path: it answers whatever happens to a model, and records what it answered."""

import msgspec
import pytest

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.app.wiring import home_in_memory
from foretaste.domain.errors import InvalidQueryError, UnknownItemError, UnknownModelError
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.models.popularity import Popularity, PopularityConfig
from foretaste.pipeline.artifact import assemble
from foretaste.serving.answerer import Answerer
from foretaste.serving.exposing import exposure_of
from foretaste.serving.untrained import untrained_artifact
from foretaste.testing.contracts.telemetry import samples

NOW = 1_700_000_000_000_000


@pytest.fixture
def home():
    with home_in_memory() as opened:
        opened.put_items([Item(item_id=f"i{n}", title=f"Item {n}", categories=("a",)) for n in range(6)])
        events = [
            {"user_id": user, "item_id": f"i{item}", "type": "watch", "timestamp": 1_699_000_000 + item}
            for user in ("ann", "bob")
            for item in range(3 + (user == "bob"))
        ]
        opened.recorder.record(events, now=NOW)
        yield opened


@pytest.fixture
def telemetry():
    return MemoryTelemetry()


@pytest.fixture
def answerer(home, telemetry):
    return Answerer(home, telemetry)


def ask(user: str | None = "ann", **more) -> Query:
    return Query(**{"now": NOW, "seed": 1, "user_id": user, **more})


class Breaks(Popularity):
    """A model that fails when it is asked."""

    def keys(self, *_):
        raise ZeroDivisionError("a model's own trouble")


def broken(model: Popularity):
    base = untrained_artifact()
    manifest = msgspec.structs.replace(base.manifest, version="broken")
    return assemble({**base.models, "popularity": model}, base.blend, base.calibration, manifest)


def test_a_model_that_fails_is_replaced_by_what_is_trending(home, answerer, telemetry, caplog):
    home.serve_artifact(broken(Breaks(PopularityConfig())))
    slate = answerer.recommend(ask(model="popularity"))
    assert slate.source == "trending"
    assert slate.items
    assert slate.user_id == "ann"
    found = samples(telemetry)
    assert found["recommendation_fallback_total", "reason=model_error"] == 1.0
    assert found["recommendation_errors_total",] == 1.0
    assert "broken" in caplog.text


def test_the_filters_of_the_question_hold_for_the_fallback_too(home, answerer):
    home.serve_artifact(broken(Breaks(PopularityConfig())))
    slate = answerer.recommend(ask(filters={"category": ("none such",)}, explain=True, model="popularity"))
    assert slate.items == ()


def test_what_was_consumed_is_left_out_of_the_fallback_too(home, answerer):
    home.serve_artifact(broken(Breaks(PopularityConfig())))
    assert {item.item_id for item in answerer.recommend(ask("ann")).items} == {"i3", "i4", "i5"}


def test_an_error_of_the_caller_is_no_failure_of_a_model(home, answerer, telemetry):
    home.serve_artifact(untrained_artifact())
    with pytest.raises(UnknownModelError):
        answerer.recommend(ask(model="nope"))
    assert ("recommendation_errors_total",) not in samples(telemetry)


def test_the_same_query_gives_the_same_slate(answerer):
    assert answerer.recommend(ask(explain=True)) == answerer.recommend(ask(explain=True))


def test_every_slate_is_recorded_as_it_was_shown(home, answerer):
    slate = answerer.recommend(ask())
    record = home.exposures.get(slate.recommendation_id)
    assert record == exposure_of(slate, query=ask())
    assert record.items == tuple(item.item_idx for item in slate.items)
    assert record.versions.state_seq == home.state.seq


def test_cold_and_known_people_are_counted_apart(home, answerer, telemetry):
    home.serve_artifact(untrained_artifact())
    answerer.recommend(ask("ann"))
    answerer.recommend(ask("new"))
    answerer.recommend(ask(None))
    found = samples(telemetry)
    assert found["recommendation_requests_total", "source=personalized", "user_type=known"] == 1.0
    assert found["recommendation_requests_total", "source=trending", "user_type=cold"] == 2.0
    assert found["recommendation_fallback_total", "reason=cold_user"] == 2.0


@pytest.mark.parametrize("name", ["similar", "cart", "rerank"])
def test_a_scenario_that_needs_items_says_so(answerer, name):
    with pytest.raises(InvalidQueryError, match=f"{name}.*item_ids") as raised:
        answerer.recommend(ask(scenario=name))
    assert raised.value.field == "item_ids"


def test_similar_needs_an_item_that_is_there(home, answerer):
    assert answerer.similar(ask(None, item_id="i0")).items
    with pytest.raises(UnknownItemError):
        answerer.similar(ask(None, item_id="nope"))
    home.delete_items(["i0"])
    with pytest.raises(UnknownItemError):
        answerer.similar(ask(None, item_id="i0"))


def test_an_item_without_a_catalog_entry_may_be_started_from(home, answerer):
    home.recorder.record([{"user_id": "ann", "item_id": "mystery", "type": "watch"}], now=NOW)
    assert "i2" in {item.item_id for item in answerer.similar(ask(None, item_id="mystery")).items}


def test_names_grow_with_the_id_map_and_digits_are_indexes_last(home, answerer):
    names = answerer.names
    assert names.of("item")[5] == "i5"
    assert names.ordinal("item", "5") == 5
    assert names.ordinal("item", "6") == -1
    assert names.ordinals("item", ["i1", "0", "x", "9" * 30, "٣"]).tolist() == [1, 0, -1, -1, -1]
    home.put_items([Item(item_id="5")])
    assert names.ordinal("item", "5") == 6


def test_where_ids_are_numbers_a_new_number_is_somebody_new_and_never_anothers_index(home, answerer):
    home.recorder.record([{"user_id": "900", "item_id": "i1", "type": "watch"}], now=NOW)
    assert answerer.names.ordinal("user", "900") >= 0
    assert answerer.names.ordinal("user", "0") == -1
    assert answerer.recommend(ask("0")).source == "trending"
