"""Memory, SQLite and PostgreSQL answer alike, whatever is asked of them."""

from contextlib import ExitStack, closing

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from foretaste.app.learning import train_home
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import Event
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.testing.postgres_sites import PostgresSite
from foretaste.testing.sites import MemorySite, SqliteSite

NAMES = st.sampled_from(["a", "A", "b", "ä", "a\0", "\x1a0", "🦊", "", "1", "x y"])
EVENTS = st.builds(
    Event,
    event_id=NAMES,
    user_id=NAMES,
    item_id=NAMES,
    type=st.sampled_from(["view", "click", "a\0"]),
    timestamp=st.one_of(st.integers(0, 5), st.sampled_from([-1, -(2**63), 2**63 - 1])),
    value=st.one_of(st.none(), st.floats(-3e38, 3e38), st.sampled_from([1e-300, -0.0])),
    session_id=st.one_of(st.none(), NAMES),
    recommendation_id=st.one_of(st.none(), NAMES),
    context=st.dictionaries(NAMES, NAMES, max_size=2),
)
ITEMS = st.builds(
    Item,
    item_id=NAMES,
    title=NAMES,
    categories=st.lists(NAMES, max_size=2).map(tuple),
    attributes=st.dictionaries(
        NAMES, st.one_of(NAMES, st.booleans(), st.floats(allow_nan=False, allow_infinity=False)), max_size=2
    ),
)
REACHED = st.dictionaries(
    st.sampled_from(["s/0", "s/1", "t\0/0", "nonsense"]), st.integers(-1, 9), max_size=2
)
STEPS = st.one_of(
    st.tuples(st.just("submit"), st.lists(EVENTS, max_size=6), REACHED),
    st.tuples(st.just("put"), st.lists(ITEMS, max_size=4)),
    st.tuples(st.just("delete"), st.lists(NAMES, max_size=3)),
    st.tuples(st.just("assign"), st.sampled_from(["user", "item"]), st.lists(NAMES, max_size=3)),
    st.tuples(st.just("find"), st.sampled_from(["user", "item", "type"]), st.lists(NAMES, max_size=3)),
    st.tuples(st.just("get"), st.lists(NAMES, max_size=3)),
    st.tuples(st.just("changes"), st.integers(0, 6)),
    st.tuples(st.just("of_user"), NAMES, st.integers(0, 5)),
    st.tuples(st.just("read"), st.integers(0, 12), st.integers(0, 12)),
    st.tuples(st.just("window"), st.integers(-1, 5), st.integers(-1, 6)),
)


def columns(found):
    arrays = [getattr(found, name) for name in ("seq", "user", "item", "type", "time", "key")]
    value = np.where(np.isnan(found.value), np.float32(7e30), found.value)
    return found.previous_seq, [array.tolist() for array in arrays], value.tolist()


def answered(stores, step):
    """Return what a step gives, as something to compare."""
    kind, *given_ = step
    log, ids, catalog = stores.log, stores.id_map, stores.catalog
    try:
        match kind:
            case "submit":
                return log.submit(given_[0], reached=given_[1]).result(60)
            case "put" | "delete" | "get" | "changes":
                return getattr(catalog, kind)(given_[0])
            case "assign" | "find":
                return getattr(ids, kind)(*given_).tolist()
            case "of_user":
                return log.of_user(*given_)
            case _:
                return columns(getattr(log, kind)(*given_))
    except InvalidInputError:
        return "refused"


def everything(stores):
    """Return all that is stored."""
    log = stores.log
    return (
        [stores.id_map.names(kind) for kind in ("user", "item", "type")],
        log.events(0, 10**6),
        list(log.contexts(0)),
        [log.reached(stream) for stream in ("s", "t\0")],
        log.last_seq(),
        stores.catalog.changes(0),
        stores.catalog.version(),
    )


@settings(
    max_examples=12,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # a server takes its time: shrinking takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, max_size=12))
def test_any_operations_give_the_same_in_memory_sqlite_and_postgresql(tmp_path_factory, postgres, steps):
    with ExitStack() as stack:
        sites = [
            stack.enter_context(closing(site))
            for site in (MemorySite(), SqliteSite(tmp_path_factory.mktemp("s")), PostgresSite(postgres))
        ]
        stores = [site.open() for site in sites]
        for step in steps:
            memory, sqlite, postgresql = [answered(one, step) for one in stores]
            assert memory == sqlite == postgresql, step
        memory, sqlite, postgresql = map(everything, stores)
        assert memory == sqlite == postgresql
        assert everything(sites[2].open()) == postgresql


NOW = 1_700_100_000_000_000


def a_shop(home):
    """Put the same items and events into a home."""
    home.put_items(
        [
            Item(item_id=f"i{n}", title=f"Item {n}", categories=(f"c{n % 4}",), in_stock=n != 7)
            for n in range(40)
        ]
    )
    home.put_people({f"u{n}": {"country": ("France", "Peru")[n % 2]} for n in range(40)})
    chance = np.random.default_rng(3)
    for start in range(0, 600, 150):
        raws = []
        for n in range(start, start + 150):
            user = int(chance.integers(0, 40))
            item = int(chance.integers(0, 10)) * 4 + (user % 4 if chance.random() < 0.8 else 0)
            kind = ("view", "purchase")[int(chance.integers(0, 2))]
            when = 1_700_000_000 + n * 60
            raws.append({"user_id": f"u{user}", "item_id": f"i{item}", "type": kind, "timestamp": when})
        home.recorder.record(raws, now=NOW)


def slates(home):
    """Return what a home shows to everyone, with scores, odds and explanations."""
    asked = [Query(now=NOW, seed=n, user_id=f"u{n}", k=8, explain=True) for n in range(45)]
    asked += [Query(now=NOW, seed=1, k=8), Query(now=NOW, seed=2, user_id="u3", k=5, exclude_ids=("i3",))]
    found = [home.answerer.recommend(query) for query in asked]
    found += [home.answerer.similar(Query(now=NOW, seed=1, item_id=f"i{n}", k=5)) for n in range(5)]
    return [(slate.user_id, slate.source, slate.items, slate.versions.state_seq) for slate in found]


def test_the_same_events_and_catalog_give_the_same_models_and_answers(tmp_path, postgres):
    with closing(PostgresSite(postgres)) as site, ExitStack() as stack:
        there = {"database_url": postgres, "database_schema": site.schema, "database_answer_seconds": 30.0}
        usual = {"effort": "quick", "sources": ("popularity", "transitions", "ials")}
        homes = [
            stack.enter_context(open_home(tmp_path / name, settings=Settings(**usual, **more), create=True))
            for name, more in (("files", {}), ("postgres", there))
        ]
        for home in homes:
            a_shop(home)
        files, postgresql = map(slates, homes)
        assert files == postgresql
        assert homes[0].state.fingerprint() == homes[1].state.fingerprint()
        for home in homes:
            train_home(home, seed=1)
            home.serve_artifact(home.load(home.registry.path(home.registry.versions()[-1].version)))
        trained, learnt = map(slates, homes)
        assert trained == learnt != files
        one, other = (home.registry.versions()[-1].metrics for home in homes)
        assert one == other
