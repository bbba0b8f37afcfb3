"""What is warmed before the service is ready: nothing is compiled while events and answers wait."""

import json
import subprocess
import sys

CHILD = """
import gc, json
from numba.core.dispatcher import Dispatcher
from pipeline_world import columns_of
from foretaste.domain.artifact import ArtifactManifest
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State, StateConfig
from foretaste.models.popularity import Popularity, PopularityConfig
from foretaste.pipeline.artifact import assemble
from foretaste.pipeline.online_blend import Surround
from foretaste.pipeline.warming import learn_once, warm_up
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration

def compiled():
    kernels = [each for each in gc.get_objects() if isinstance(each, Dispatcher)]
    return sorted(f"{each.py_func.__name__}{form}" for each in kernels for form in each.signatures)

warm_up()
before = compiled()
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


def test_what_the_blend_learns_by_is_compiled_before_the_first_event():
    command = [sys.executable, "-c", CHILD]
    folder = __file__.rpartition("/")[0]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout)
    assert told["steps"] > 0
    assert told["after"] == told["before"]
