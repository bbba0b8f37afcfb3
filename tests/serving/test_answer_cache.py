"""A change never serves an old answer, and no error of the cache breaks one."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.adapters.memory.answer_cache import MemoryAnswerCache
from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.domain.errors import UnavailableError
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.domain.slate import Evidence, ScoredItem, Slate, Versions
from foretaste.domain.slate_rules import SlateRules
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.pipeline.identity import parse_id
from foretaste.pipeline.scenario import DISCOVER, HOME
from foretaste.serving.answer_cache import AnswerBasis, AnswerCacheFront, request_of
from foretaste.serving.breaker import Breaker
from foretaste.testing.contracts.answer_cache import LIST, ONE, AnswerCacheContract, found

SECOND = 1_000_000
NOW = 1_700_000_000 * SECOND
VERSIONS = Versions(
    state_seq=9, item_state_seq=9, catalog_version=3, artifact="v1", blend="b1", scenario="home"
)
BASIS = AnswerBasis(user_events=7, catalog_version=3, artifact="v1", blend="b1", scenario=HOME.version)
CATALOG = CatalogColumns.of([Item(item_id=name) for name in ("a", "b", "c")])


class TestMemoryAnswerCache(AnswerCacheContract):
    @pytest.fixture
    def make_cache(self):
        return MemoryAnswerCache


def a_query(**changed):
    return Query(now=NOW, seed=1, user_id="anna", **changed)


def a_slate(*ordinals, at=NOW):
    items = tuple(
        ScoredItem(
            item_id="abc"[ordinal],
            item_idx=ordinal,
            rank=rank,
            score=0.1 + rank / 3,
            match=1 / 7,
            sources=("ials", "popularity"),
            reason="because",
            propensity=1.0,
            title="Ünï\ncode",
            metadata={"price": 3.0, "colour": "red", "new": True},
            explanation=(
                Evidence(item_id="c", item_idx=2, item_name="C", similarity=0.5, contribution_pct=100.0),
            ),
        )
        for rank, ordinal in enumerate(ordinals, 1)
    )
    return Slate(
        recommendation_id="made before",
        user_id="anna",
        source="personalized",
        model_version="v1",
        items=items,
        versions=VERSIONS,
        scenario="home",
        generated_at=at,
    )


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def telemetry():
    return MemoryTelemetry()


@pytest.fixture
def front(telemetry):
    return front_of(MemoryAnswerCache(), telemetry)


def front_of(cache, telemetry, clock=None, **how):
    breaker = Breaker(random=lambda: 1.0, failures=3, first_seconds=1.0)
    return AnswerCacheFront(cache, telemetry, breaker=breaker, clock=clock or Clock(), **how)


def counted(telemetry, name):
    lines = telemetry.exposition().decode().splitlines()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)
    }


def test_an_answer_is_given_again_under_an_id_of_its_own(front, telemetry):
    front.keep(a_query(), BASIS, a_slate(0, 1))
    again = msgspec.structs.replace(a_query(), seed=2)
    first, second = (front.find(query, BASIS, CATALOG) for query in (a_query(), again))
    assert msgspec.structs.replace(second, recommendation_id="made before") == a_slate(0, 1)
    assert len({first.recommendation_id, second.recommendation_id, "made before"}) == 3
    assert parse_id(second.recommendation_id).came_from(VERSIONS)
    assert counted(telemetry, "recommendation_cache_hits_total") == {"recommendation_cache_hits_total": 2.0}


CHANGES = {
    "user_events": 8,
    "catalog_version": 4,
    "artifact": "v2",
    "blend": "b2",
    "scenario": DISCOVER.version,
    "circumstances": ("country=France",),
    "person": (("age", 30.0),),
    "namespace": "other",
}

OF_THE_QUESTION = {"scenario", "person"}
"""What is another for two questions of one moment."""


@pytest.mark.parametrize("field", AnswerBasis.__struct_fields__)
def test_a_change_of_anything_an_answer_depends_on_is_a_miss(front, telemetry, field):
    front.keep(a_query(), BASIS, a_slate(0))
    changed = msgspec.structs.replace(BASIS, **{field: CHANGES[field]})
    assert front.find(a_query(), changed, CATALOG) is None
    reason = "absent" if field in OF_THE_QUESTION else "stale"
    assert counted(telemetry, "recommendation_cache_misses_total") == {
        f'recommendation_cache_misses_total{{reason="{reason}"}}': 1.0
    }


@pytest.mark.parametrize("field", sorted(OF_THE_QUESTION))
def test_answers_by_other_recipes_are_kept_beside_each_other(front, field):
    other = msgspec.structs.replace(BASIS, **{field: CHANGES[field]})
    front.keep(a_query(), BASIS, a_slate(0))
    front.keep(a_query(), other, a_slate(1))
    kept = [front.find(a_query(), basis, CATALOG) for basis in (BASIS, other)]
    assert [slate.items[0].item_id for slate in kept] == ["a", "b"]


ASKED = {
    "item_id": "x",
    "item_ids": ("x",),
    "scenario": "discover",
    "model": "ials",
    "k": 11,
    "filters": {"colour": ("red",)},
    "exclude": {"colour": ("red",)},
    "exclude_ids": ("a",),
    "filter": ("price < 20",),
    "boost": ("new : 2",),
    "context": {"device": "mobile"},
    "diversity_lambda": 0.5,
    "popularity_correction": 0.5,
    "min_score": 0.1,
    "explain": True,
    "explain_top_k": 5,
    "rules": SlateRules(forbidden=("a",)),
    "shown_ids": ("a",),
}


@pytest.mark.parametrize("field", sorted(set(Query.__struct_fields__) - {"now", "seed", "user_id"}))
def test_another_question_is_another_answer(front, field):
    front.keep(a_query(), BASIS, a_slate(0))
    assert front.find(a_query(**{field: ASKED[field]}), BASIS, CATALOG) is None


def test_to_name_the_usual_model_is_the_same_question(front):
    front.keep(a_query(), BASIS, a_slate(0))
    assert front.find(a_query(model="hybrid"), BASIS, CATALOG) is not None


@given(st.permutations(list({"a": "1", "b": "2", "c": "3"}.items())), st.permutations(["x", "y", "z"]))
def test_the_order_of_contexts_filters_and_exclusions_does_not_matter(context, ids):
    usual = a_query(
        context={"a": "1", "b": "2", "c": "3"}, exclude_ids=("x", "y", "z"), filters={"k": ("x", "y", "z")}
    )
    other = a_query(context=dict(context), exclude_ids=tuple(ids), filters={"k": tuple(ids)})
    assert request_of(usual) == request_of(other)


def test_what_happens_to_items_is_noticed_within_a_stretch(front, telemetry):
    ages = []
    for start in range(300):
        now = NOW + start * SECOND
        slate = front.find(msgspec.structs.replace(a_query(), now=now), BASIS, CATALOG)
        if slate is None:
            front.keep(msgspec.structs.replace(a_query(), now=now), BASIS, a_slate(0, at=now))
        else:
            ages.append((now - slate.generated_at) / SECOND)
    assert max(ages) < 60.0
    assert counted(telemetry, "recommendation_cache_age_seconds_sum")[
        "recommendation_cache_age_seconds_sum"
    ] == sum(ages)
    assert len(ages) == 294


def test_stretches_of_people_begin_at_moments_of_their_own(front):
    ends = set()
    for number in range(50):
        query = Query(now=NOW, seed=1, user_id=f"person {number}")
        front.keep(query, BASIS, a_slate(0))
        seconds = 0
        while front.find(msgspec.structs.replace(query, now=NOW + seconds * SECOND), BASIS, CATALOG):
            seconds += 1
        ends.add(seconds)
    assert len(ends) > 20


@pytest.mark.parametrize(
    "withdrawn",
    [
        Item(item_id="b", available_until=NOW),
        Item(item_id="b", available_from=NOW + 1),
        Item(item_id="b", hidden=True),
        Item(item_id="b", in_stock=False),
    ],
)
def test_an_item_that_is_no_longer_available_is_not_in_a_kept_answer(front, telemetry, withdrawn):
    front.keep(a_query(), BASIS, a_slate(0, 1))
    catalog = CatalogColumns.of([Item(item_id="a"), withdrawn])
    assert front.find(a_query(), BASIS, catalog) is None
    assert counted(telemetry, "recommendation_cache_misses_total") == {
        'recommendation_cache_misses_total{reason="withdrawn"}': 1.0
    }


def test_items_known_from_events_only_are_available(front):
    front.keep(a_query(), BASIS, a_slate(0, 2))
    assert front.find(a_query(), BASIS, CatalogColumns.of([Item(item_id="a")])) is not None


class Broken(MemoryAnswerCache):
    """A cache that does not answer while it is away."""

    def __init__(self):
        super().__init__()
        self.away, self.asked = True, 0

    def get(self, *key):
        self.asked += 1
        if self.away:
            raise UnavailableError("away")
        return super().get(*key)

    def put(self, *entry):
        self.asked += 1
        if self.away:
            raise UnavailableError("away")
        super().put(*entry)


def test_errors_of_the_cache_are_misses_and_soon_it_is_not_asked_any_more(telemetry):
    broken, clock = Broken(), Clock()
    front = front_of(broken, telemetry, clock)
    for _ in range(10):
        assert front.find(a_query(), BASIS, CATALOG) is None
        front.keep(a_query(), BASIS, a_slate(0))
    assert broken.asked == 3
    assert counted(telemetry, "recommendation_cache_errors_total") == {
        "recommendation_cache_errors_total": 3.0
    }
    assert counted(telemetry, "recommendation_cache_misses_total") == {
        'recommendation_cache_misses_total{reason="unavailable"}': 10.0
    }


def test_a_cache_that_returns_is_used_again(telemetry):
    broken, clock = Broken(), Clock()
    front = front_of(broken, telemetry, clock)
    for _ in range(3):
        front.find(a_query(), BASIS, CATALOG)
    broken.away, clock.now = False, 1.0
    front.keep(a_query(), BASIS, a_slate(0))
    assert front.find(a_query(), BASIS, CATALOG) is not None


def test_an_answer_that_cannot_be_read_is_a_miss(telemetry):
    class Garbled(MemoryAnswerCache):
        def put(self, user_id, stamp, request, answer):
            super().put(user_id, stamp, request, answer[:-3])

    front = front_of(Garbled(), telemetry)
    front.keep(a_query(), BASIS, a_slate(0))
    assert front.find(a_query(), BASIS, CATALOG) is None


def test_memory_is_bounded_and_the_least_recently_asked_for_goes_first():
    cache = MemoryAnswerCache(most_bytes=20_000)
    for number in range(1000):
        cache.put(f"person {number}", ONE, LIST, bytes(500))
        assert found(cache, "person 0") is not None
        assert cache.size <= 20_000
    kept = [number for number in range(1000) if found(cache, f"person {number}") is not None]
    assert kept[0] == 0
    assert kept[1:] == list(range(1000 - len(kept) + 1, 1000))
    assert len(kept) > 10


def test_answers_in_memory_end_with_their_time_counted_from_the_first():
    clock = Clock()
    cache = MemoryAnswerCache(ttl_seconds=10.0, clock=clock)
    cache.put("anna", ONE, LIST, b"first")
    clock.now = 9.0
    cache.put("anna", ONE, b"another request.", b"second")
    assert found(cache, "anna") == b"first"
    clock.now = 10.0
    assert found(cache, "anna") is None
    assert found(cache, "anna", ONE, b"another request.") is None
    assert cache.size == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["anna", "ben", None]),
            st.sampled_from([b"1", b"2"]),
            st.sampled_from([b"x", b"y", b"z"]),
            st.binary(max_size=40),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_the_size_that_is_counted_is_what_is_held(steps):
    cache = MemoryAnswerCache(most_answers=2, most_bytes=2_000)
    for user_id, stamp, request, answer, forgets in steps:
        if forgets:
            cache.forget([user_id])
        else:
            cache.put(user_id, stamp, request, answer)
        held = cache._shelves.values()
        assert cache.size == sum(shelf.size for shelf in held) <= 2_000
        sizes = [400 + sum(len(r) + len(a) for r, a in shelf.answers.items()) for shelf in held]
        assert sizes == [shelf.size for shelf in held]
