"""What is warmed before the service is ready: nothing is compiled while events and answers wait."""

import json
import subprocess
import sys

WARMED = """
import gc, json
from numba.core.dispatcher import Dispatcher
from foretaste.pipeline.warming import warm_up

def compiled():
    kernels = [each for each in gc.get_objects() if isinstance(each, Dispatcher)]
    return sorted(f"{each.py_func.__name__}{form}" for each in kernels for form in each.signatures)

warm_up()
before = compiled()
"""

LARGE = """
import numpy as np
from foretaste.retrieval.kept_rows import MOST_KEPT
from foretaste.retrieval.packed_keys import LEAST_PACKED, PackedKeys
from foretaste.retrieval.rows import Row, all_scores

keys, shown = np.zeros(LEAST_PACKED, np.float32), np.ones(LEAST_PACKED, np.bool_)
keys[::9] = 1.0
packed = PackedKeys.of(keys, MOST_KEPT)
row = Row(np.empty(0, np.float32), packed.best_entries(shown, 20), 20, packed=packed)
items = np.arange(20, dtype=np.int32)
followed = row.follow(items, row.keys_of(items) + np.float32(1.0), shown)
all_scores([row], LEAST_PACKED)
print(json.dumps({"followed": followed, "before": before, "after": compiled()}))
"""

CHILD = """
from pipeline_world import columns_of
from foretaste.domain.artifact import ArtifactManifest
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State, StateConfig
from foretaste.models.popularity import Popularity, PopularityConfig
from foretaste.pipeline.artifact import assemble
from foretaste.pipeline.online_blend import Surround
from foretaste.pipeline.warming import learn_once
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration

state = State(StateConfig(), lambda: ("purchase",))
catalog = CatalogColumns.of([Item(item_id=name) for name in "abcdef"])
manifest = ArtifactManifest(
    name="m", version="v", created_at=0, seed=0, window={}, n_users=0, n_items=0, models={}
)
sources = {"popularity": Popularity(PopularityConfig())}
artifact = assemble(sources, Blend.even(("popularity",)), Calibration.flat(), manifest)
around = Surround(lambda: catalog, lambda: tuple("abcdef"), lambda: ("purchase",))
n = 12
each = range(n)
events = columns_of([i // 6 for i in each], [i % 6 for i in each], [0] * n, list(each), list(each), 0)
steps = learn_once(state, artifact, around, events)
print(json.dumps({"steps": steps, "before": before, "after": compiled()}))
"""


MERGE = """
from pipeline_world import columns_of
from foretaste.events.vocabulary import MERGE_FROM, MERGE_INTO
from foretaste.features.state import State, StateConfig

types = ("purchase", MERGE_FROM, MERGE_INTO)
state = State(StateConfig(), lambda: types)
state.apply(columns_of([0, 1, 0, 1], [0, 1, 2, 2], [0, 0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3]))
print(json.dumps({"merged": state.person(0) == 1, "before": before, "after": compiled()}))
"""


def told_by(child):
    folder = __file__.rpartition("/")[0]
    command = [sys.executable, "-c", WARMED + child]
    return json.loads(subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout)


def test_what_the_blend_learns_by_is_compiled_before_the_first_event():
    told = told_by(CHILD)
    assert told["steps"] > 0
    assert told["after"] == told["before"]


def test_what_is_kept_of_people_in_a_large_catalog_is_compiled_before_the_first_answer():
    told = told_by(LARGE)
    assert told["followed"]
    assert told["after"] == told["before"]


def test_what_makes_two_people_one_is_compiled_before_the_first_merge():
    told = told_by(MERGE)
    assert told["merged"]
    assert told["after"] == told["before"]
