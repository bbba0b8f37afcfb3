"""Neural models: trained by JAX, scored without it, told by order."""

import importlib
import subprocess
import sys

import msgspec
import numpy as np
import pytest

from foretaste.domain.artifact import ArtifactManifest, manifest_digest
from foretaste.domain.errors import MissingExtraError
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.item_state import no_items
from foretaste.models.artifact_files import write_models
from foretaste.models.interface import Moment
from foretaste.models.neural.attention import outputs
from foretaste.models.neural.hold_out import MOST_ITEMS, USUAL_EPOCHS, ends_held_out, within_bounds
from foretaste.models.neural.ncf import NCF, NCFConfig
from foretaste.models.neural.negatives import negatives_of
from foretaste.models.neural.self_attention import SelfAttention, SelfAttentionConfig
from foretaste.models.neural.sequences import Sequences, gap_class, rows_of, sequences_of, strength_class
from foretaste.models.popularity import PopularityConfig
from foretaste.testing.clustered_shop import clustered_shop

SECOND = 1_000_000
RING = 30
PLACES = np.arange(10) * 3 % 20
SMALL_NCF = NCFConfig(dim=16, hidden=8, length=16, dropout=0.2, epochs=2.0)
SMALL_ATTENTION = SelfAttentionConfig(dim=16, layers=2, heads=2, length=16, dropout=0.1, epochs=2.0)
"""As in the contract suite: a network is compiled once, which takes seconds."""


def interactions(user, item, *, weight=None, time=None, timed=True):
    """Return one interaction for each entry, a minute apart unless told."""
    user, item = np.asarray(user, np.int32), np.asarray(item, np.int32)
    return Interactions(
        user=user,
        item=item,
        weight=np.ones(len(user), np.float32) if weight is None else np.asarray(weight, np.float32),
        time=np.arange(len(user)) * 60 * SECOND if time is None else np.asarray(time),
        n_users=int(user.max()) + 1,
        n_items=int(item.max()) + 1,
        timed=timed,
    )


def history(*items):
    return History(
        item=np.array(items, np.int32),
        weight=np.ones(len(items), np.float32),
        time=np.arange(len(items)) * 60 * SECOND,
        type=np.zeros(len(items), np.int16),
    )


def moment(n_items):
    catalog = CatalogColumns.empty().apply([], n_items=n_items)
    return Moment(now=60 * SECOND * 1_000, items=no_items(), catalog=catalog)


def round_trips(n_users=150, n_steps=12, seed=0):
    """Everyone walks around one ring of items, each starting somewhere: all items are equally popular."""
    generator = np.random.default_rng(seed)
    ring, start = generator.permutation(RING), generator.integers(0, RING, n_users)
    user = np.tile(np.arange(n_users), n_steps)
    step = np.repeat(np.arange(n_steps), n_users)
    return ring, interactions(user, ring[(start[user] + step) % RING])


def shaken(parameters, seed=0):
    """Return parameters none of which is at its usual first value."""
    generator = np.random.default_rng(seed)
    return {
        name: (array + 0.1 * generator.standard_normal(array.shape)).astype(np.float32)
        for name, array in parameters.items()
    }


def one_row(places):
    """Return the row of one person's events, a minute apart, in the training's shape."""
    places = np.asarray(places, np.int32)[np.newaxis]
    return {
        "item": places,
        "strength": np.full_like(places, strength_class(np.ones(1, np.float32))[0]),
        "gap": np.full_like(places, gap_class(np.array([60 * SECOND]))[0]),
        "person": np.zeros_like(places),
        "target": np.zeros_like(places),
    }


@pytest.fixture(scope="module")
def training():
    pytest.importorskip("optax", reason="needs the extra `neural`")
    return {
        "jax": importlib.import_module("jax"),
        "ncf": importlib.import_module("foretaste.models.neural.ncf_training"),
        "self_attention": importlib.import_module("foretaste.models.neural.self_attention_training"),
    }


def known(n_items):
    return Sequences(
        item=np.arange(n_items, dtype=np.int32),
        strength=np.zeros(n_items, np.int32),
        gap=np.zeros(n_items, np.int32),
        start=np.array([0, n_items]),
        known=np.arange(n_items, dtype=np.int32),
        timed=True,
    )


def test_attention_in_numpy_is_attention_in_jax(training):
    module = training["self_attention"]
    config = SelfAttentionConfig(dim=8, layers=2, heads=2, length=12)
    parameters = shaken(module.first_parameters(config, 20, seed=1))
    network = module.SelfAttentionNetwork(config.layers, config.heads, config.dropout)
    expected = np.asarray(training["jax"].jit(network.outputs)(parameters, one_row(PLACES)))[0]
    model = SelfAttention(config, module.as_model_arrays(parameters, known(20), 20))
    asked = history(*PLACES)
    now = int(asked.time[-1]) + 60 * SECOND
    tokens = model._tokens(asked, np.arange(len(PLACES)), now)
    assert outputs(parameters, tokens, every=True) == pytest.approx(expected, abs=1e-5)
    logits = expected[-1] @ parameters["items"].T
    assert model.score_all(asked, now) == pytest.approx(logits - logits.mean(), abs=1e-5)


def test_matrix_factorization_in_numpy_is_that_in_jax(training):
    module, jax = training["ncf"], training["jax"]
    config = NCFConfig(dim=8, hidden=4, length=12)
    parameters = shaken(module.first_parameters(config, 20, seed=1))
    parameters["items"] -= parameters["items"].mean(axis=0)
    logits = jax.jit(module.NCFNetwork(0.0).logits)(
        parameters, one_row(PLACES), np.arange(20), jax.random.key(0)
    )[1]
    model = NCF(config, module.as_model_arrays(parameters, known(20), 20))
    expected = np.asarray(logits)[-1] - model.arrays()["level"]
    assert model.score_all(history(*PLACES), 0) == pytest.approx(expected, abs=1e-5)


def test_self_attention_learns_an_order_that_popularity_cannot_see():
    pytest.importorskip("optax", reason="needs the extra `neural`")
    ring, walks = round_trips()
    config = SelfAttentionConfig(dim=16, layers=1, length=16, dropout=0.1, epochs=80.0)
    attention = config.fit(walks, 0, CatalogColumns.empty())
    popularity = PopularityConfig().fit(walks, 0, CatalogColumns.empty())
    rights = {"attention": 0, "popularity": 0}
    for start in range(RING):
        asked = history(*ring[(start + np.arange(4)) % RING])
        following = ring[(start + 4) % RING]
        rights["attention"] += int(attention.score(asked, moment(RING)).argmax() == following)
        rights["popularity"] += int(popularity.score(asked, moment(RING)).argmax() == following)
    assert rights["attention"] >= 0.9 * RING
    assert rights["popularity"] <= 0.2 * RING


def test_the_last_events_speak_alone_of_a_history_too_long():
    pytest.importorskip("optax", reason="needs the extra `neural`")
    shop = clustered_shop()
    for config in (SMALL_NCF, SMALL_ATTENTION):
        model = config.fit(shop.interactions, 0, shop.catalog)
        items = np.arange(40) * 7 % 100
        whole = history(*items)
        shares = model.explain(whole, 5, shop.moment)
        assert not shares[: -config.length].any()
        end = History(
            *(getattr(whole, name)[-config.length :] for name in ("item", "weight", "time", "type"))
        )
        assert model.score(whole, shop.moment).tobytes() == model.score(end, shop.moment).tobytes()


def test_given_epochs_are_made_and_left_open_ones_are_chosen():
    pytest.importorskip("optax", reason="needs the extra `neural`")
    shop = clustered_shop()
    given = SMALL_ATTENTION.fit(shop.interactions, 0, shop.catalog).config
    assert given == SMALL_ATTENTION
    left_open = msgspec.structs.replace(SMALL_ATTENTION, epochs=None, work=0.005)
    chosen = left_open.fit(shop.interactions, 0, shop.catalog).config
    assert chosen.epochs is not None
    assert chosen.epochs > 1.0


def test_a_small_budget_ends_learning_in_the_midst_of_a_pass():
    pytest.importorskip("optax", reason="needs the extra `neural`")
    shop = clustered_shop()
    little = msgspec.structs.replace(SMALL_ATTENTION, epochs=None, work=1e-6)
    fitted = little.fit(shop.interactions, 0, shop.catalog)
    assert 0.0 < fitted.config.epochs < 1.0


@pytest.mark.parametrize("library", ["jax", "optax"])
@pytest.mark.parametrize("config", [SMALL_NCF, SMALL_ATTENTION], ids=["ncf", "self_attention"])
def test_without_the_extra_the_message_says_what_to_install(monkeypatch, config, library):
    for module in ("ncf_training", "self_attention_training", "training_loop"):
        monkeypatch.delitem(sys.modules, f"foretaste.models.neural.{module}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    shop = clustered_shop()
    with pytest.raises(MissingExtraError, match=r"pip install 'foretaste\[neural\]'"):
        config.fit(shop.interactions, 0, shop.catalog)


def test_what_was_fitted_serves_where_jax_cannot_be_imported(tmp_path):
    pytest.importorskip("optax", reason="needs the extra `neural`")
    shop = clustered_shop()
    models = {
        "ncf": SMALL_NCF.fit(shop.interactions, 0, shop.catalog),
        "self_attention": SMALL_ATTENTION.fit(shop.interactions, 0, shop.catalog),
    }
    described, files = write_models(models, tmp_path)
    unsigned = ArtifactManifest(
        name="",
        version="1",
        created_at=0,
        seed=0,
        window={},
        n_users=1,
        n_items=1,
        models=described,
        files=files,
    )
    manifest = msgspec.structs.replace(unsigned, hash=manifest_digest(unsigned))
    (tmp_path / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    program = """
import sys
for library in ("jax", "jaxlib", "optax"):
    sys.modules[library] = None
from pathlib import Path
import msgspec
from foretaste.domain.artifact import ArtifactManifest
from foretaste.models.artifact_files import read_models
from foretaste.testing.clustered_shop import clustered_shop
folder, shop = Path(sys.argv[1]), clustered_shop()
manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=ArtifactManifest)
models = read_models(folder, manifest)
for name, model in models.items():
    sys.stdout.write(name + " " + model.score(shop.history(3), shop.moment).tobytes().hex() + "\\n")
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    scores = {name: model.score(shop.history(3), shop.moment) for name, model in models.items()}
    assert said.splitlines() == [f"{name} {score.tobytes().hex()}" for name, score in scores.items()]


def test_rows_hold_every_event_once_and_never_join_two_people():
    generator = np.random.default_rng(3)
    user = np.sort(generator.integers(0, 40, 300))
    sequences = sequences_of(interactions(user, generator.integers(0, 25, 300)))
    rows = rows_of(sequences, 16, 4, generator)
    assert len(rows.item) % 4 == 0
    flat = {name: values.ravel() for name, values in rows.portion(0, len(rows.item)).items()}
    real = flat["person"] >= 0
    assert np.bincount(flat["item"][real]).tolist() == np.bincount(sequences.item).tolist()
    for place in np.flatnonzero(flat["target"][:-1] >= 0):
        assert flat["person"][place] == flat["person"][place + 1]
        assert flat["target"][place] == flat["item"][place + 1]
    assert (flat["target"] >= 0).sum() == len(sequences.item) - sequences.n_users


def test_what_was_disliked_is_in_no_sequence():
    sequences = sequences_of(interactions([0, 0, 0, 1, 1], [5, 6, 7, 5, 6], weight=[1, -1, 1, 1, -1]))
    assert sequences.known[sequences.item].tolist() == [5, 7]


def test_a_waiting_time_is_longer_by_a_class_when_it_doubles():
    seconds = np.array([0, 1, 3, 7, 15, 10**12]) * SECOND
    assert gap_class(seconds).tolist() == [1, 2, 3, 4, 5, 31]


def test_drawn_negatives_stand_for_all_items_in_a_sum():
    generator = np.random.default_rng(0)
    item = generator.zipf(1.5, 20_000) % 500
    sequences = sequences_of(interactions(np.arange(20_000) // 10, item))
    n_known = len(sequences.known)
    value = generator.random(n_known)
    negatives = negatives_of(sequences, 200)
    sums = []
    for _ in range(300):
        drawn, logarithm = negatives.drawn(generator)
        assert len(drawn) == 200
        sums.append((value[drawn] * np.exp(-logarithm)).sum())
    assert np.mean(sums) == pytest.approx(value.sum(), rel=0.02)
    every, correction = negatives_of(sequences, n_known).drawn(generator)
    assert every.tolist() == list(range(n_known))
    assert not correction.any()


def test_questions_are_about_ends_that_are_not_fitted_on():
    shop = clustered_shop()
    held = ends_held_out(shop.interactions, 0)
    assert 50 <= len(held.questions) <= 0.05 * len(shop.interactions)
    assert len(held.train) < len(shop.interactions)
    assert held.value(lambda _history, _now: np.zeros(101, np.float32)) < 0.05
    for question in held.questions:
        assert question.answer not in question.history.item
        assert question.now >= question.history.time[-1]


def test_a_log_too_small_to_ask_about_is_fitted_whole():
    few = interactions(np.arange(60) // 6, np.arange(60) % 13)
    held = ends_held_out(few, 0)
    assert len(held.train) == len(few)
    assert held.epochs == USUAL_EPOCHS


def test_a_fit_is_bounded_in_items():
    item = np.concatenate((np.arange(MOST_ITEMS), np.arange(MOST_ITEMS + 10)))
    bounded = within_bounds(interactions(np.arange(len(item)) // 7, item), 0)
    assert len(np.unique(bounded.item)) == MOST_ITEMS
    assert bounded.item.max() == MOST_ITEMS - 1
