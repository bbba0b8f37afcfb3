"""Cost as work grows: what fitting each default source, and the whole of `learn`, takes as data grows.

`python benchmarks/growth.py [--full] [--events N,N] [--items N,N] [--sources NAME,NAME] [--cap SECONDS]`;
`--sources learn` runs the whole of `learn` alone, `--no-learn` all but that.

For every cell of numbers of events and items (made-up people with tastes, the same for the same seed) each
source is fitted in a process of its own: CPU seconds, peak memory above what was there before, and the bytes
of what was learnt. A cell that would take more than `--cap` CPU seconds is ended and said to be over it. Then
exponents are fitted: seconds ~ events^a items^b, by least squares on logarithms over the cells that took long
enough to tell. `--full` adds 10 million events. Kernels are compiled before the clock starts. What a model
was limited to in so large a log or catalog stands beside it, as its configuration says.
"""

import argparse
import json
import os
import platform
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np

from foretaste.domain.event import EventColumns
from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.interface import Model
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus
from foretaste.training.prepare import prepare
from foretaste.training.run import learn

SEED = 0
EVENTS, ITEMS = (100_000, 1_000_000), (1_000, 10_000, 100_000, 1_000_000)
TEN_MILLION = 10_000_000
PER_USER = 40
TASTES = 20
OWN_TASTE = 0.8
DAYS = 90
WHOLE = "learn"
TELLS = {"seconds": 0.05, "megabytes": 5.0, "artifact_megabytes": 0.05}
"""Cells below this tell nothing of growth."""
MEGABYTE = 1 << 20
LIMITED = ("dim", "rank", "neighbours", "longest")
"""What models have less of where there is too much of all else."""


@dataclass(frozen=True)
class Cell:
    """What one fit took; `ended` says why there are no numbers, where there are none."""

    source: str
    events: int
    items: int
    seconds: float = float("nan")
    megabytes: float = float("nan")
    artifact_megabytes: float = float("nan")
    model: str = ""
    ended: str = ""


def made_up(n_events: int, n_items: int, seed: int = SEED) -> Corpus:
    """Return events of people with one taste of twenty each, items of Zipf's popularity, titles to read."""
    rng = np.random.default_rng(seed)
    n_users = max(n_events // PER_USER, TASTES)
    user = rng.integers(0, n_users, n_events).astype(np.int32)
    rank = np.minimum((n_items + 1) ** rng.random(n_events), n_items).astype(np.int64) - 1
    own = rng.random(n_events) < OWN_TASTE
    item = np.where(own, rank // TASTES * TASTES + user % TASTES, rank)
    step = DAYS * 86_400 * 1_000_000 // n_events
    events = EventColumns(
        previous_seq=0,
        seq=np.arange(1, n_events + 1, dtype=np.int64),
        user=user,
        item=np.minimum(item, n_items - 1).astype(np.int32),
        type=np.zeros(n_events, np.int16),
        time=10**15 + step * np.arange(n_events, dtype=np.int64),
        key=np.arange(n_events, dtype=np.int64),
        value=np.full(n_events, np.nan, np.float32),
    )
    names = [f"i{number}" for number in range(n_items)]
    words = rng.integers(0, 2_000, (n_items, 3))
    items = [
        Item(
            item_id=name,
            title=f"w{first} w{second} w{third}",
            categories=(f"taste-{number % TASTES}",),
        )
        for number, (name, (first, second, third)) in enumerate(zip(names, words.tolist(), strict=True))
    ]
    return Corpus(events, CatalogColumns.of(items), names, ["click"], n_users)


def distinct_sources() -> dict[str, Any]:
    """Return the sources that ship, of those that differ in numbers only the first."""
    prepared = prepare(made_up(2_000, 100), TrainConfig(), SEED)
    seen: dict[type, str] = {}
    for name, learner in prepared.sources.items():
        seen.setdefault(type(learner), name)
    return {name: prepared.sources[name] for name in seen.values()}


def jobs(corpus: Corpus, chosen: Sequence[str]) -> dict[str, Callable[[], dict[str, Model]]]:
    """Return what fits each source on all of the corpus, and what learns everything."""
    prepared = prepare(corpus, TrainConfig(validation=0.0, test=0.0), SEED)
    window = prepared.interactions(len(prepared.events))

    def fit(name: str, learner: Any) -> Callable[[], dict[str, Model]]:
        return lambda: {name: learner.fit(window, SEED, corpus.catalog)}

    found = {name: fit(name, learner) for name, learner in distinct_sources().items()}
    found[WHOLE] = lambda: dict(learn(corpus, created_at=0, seed=SEED).artifact.models)
    return {name: job for name, job in found.items() if not chosen or name in chosen}


def measured(job: Callable[[], dict[str, Model]], cap: int) -> dict[str, Any]:
    """Run `job` in a process of its own that may use `cap` CPU seconds; return what it took."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as answer:
            answer.write(json.dumps(_inside(job, cap)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        over = os.WTERMSIG(status) == signal.SIGXCPU
        return {"ended": f"over {cap} CPU seconds" if over else f"ended by signal {os.WTERMSIG(status)}"}
    return dict(json.loads(said))


def _inside(job: Callable[[], dict[str, Model]], cap: int) -> dict[str, Any]:
    used = int(time.process_time()) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used + cap, used + cap + 5))
    before, began = _resident(), time.process_time()
    try:
        models = job()
    except Exception as error:  # noqa: BLE001 - whatever ends one cell is said in its place
        return {"ended": f"{type(error).__name__}: {error}"}
    seconds = time.process_time() - began
    arrays = [array for model in models.values() for array in model.arrays().values()]
    return {
        "seconds": round(seconds, 3),
        "megabytes": round((_peak() - before) / MEGABYTE, 1),
        "artifact_megabytes": round(sum(array.nbytes for array in arrays) / MEGABYTE, 2),
        "model": told(next(iter(models.values()))) if len(models) == 1 else "",
    }


def told(model: Model) -> str:
    """Return what a model is called, with what may be limited of it."""
    values = {name: getattr(model.config, name, None) for name in LIMITED}
    return " ".join([model.name, *(f"{name} {value}" for name, value in values.items() if value)])


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def exponents(cells: Sequence[Cell], measure: str) -> tuple[float, float]:
    """Return a and b of measure ~ events^a items^b; NaN for what the cells do not tell."""
    told = [cell for cell in cells if getattr(cell, measure) > TELLS[measure]]
    if len(told) < 2:
        return float("nan"), float("nan")
    logs = np.log([[cell.events, cell.items] for cell in told])
    moves = np.ptp(logs, axis=0) > 0.0
    design = np.column_stack([np.ones(len(told)), logs[:, moves]])
    slope = np.full(2, np.nan)
    if len(told) > int(moves.sum()):
        solved = np.linalg.lstsq(design, np.log([getattr(cell, measure) for cell in told]), rcond=None)[0]
        slope[moves] = solved[1:]
    return float(slope[0]), float(slope[1])


def run(
    events: Sequence[int], items: Sequence[int], chosen: Sequence[str], cap: int, whole: bool
) -> list[Cell]:
    """Return all cells, telling each on standard error."""
    for job in jobs(made_up(3_000, 200), chosen).values():
        job()  # compiles what the source needs
    cells = []
    for n_events in events:
        for n_items in items:
            if n_items > n_events:
                continue
            for name, job in jobs(made_up(n_events, n_items), chosen).items():
                if name == WHOLE and not whole:
                    continue
                cell = Cell(name, n_events, n_items, **measured(job, cap))
                cells.append(cell)
                print(json.dumps(asdict(cell)), file=sys.stderr)
    return cells


def table(cells: Sequence[Cell]) -> str:
    """Return the cells and the exponents as Markdown."""
    lines = ["| source | events | items | fit, CPU s | peak memory, MB | artifact, MB | |"]
    lines.append("|---|---:|---:|---:|---:|---:|---|")
    for cell in cells:
        if cell.ended:
            numbers = f"- | - | - | {cell.ended}"
        else:
            numbers = (
                f"{cell.seconds:.2f} | {cell.megabytes:.0f} | {cell.artifact_megabytes:.1f} | {cell.model}"
            )
        lines.append(f"| {cell.source} | {cell.events:,} | {cell.items:,} | {numbers} |")
    lines += ["", "| source | seconds ~ | memory ~ | artifact ~ |", "|---|---|---|---|"]
    for source in dict.fromkeys(cell.source for cell in cells):
        own = [cell for cell in cells if cell.source == source and not cell.ended]
        powers = (exponents(own, name) for name in ("seconds", "megabytes", "artifact_megabytes"))
        told = [f"events^{a:.2f} items^{b:.2f}".replace("nan", "?") for a, b in powers]
        lines.append(f"| {source} | {' | '.join(told)} |")
    return "\n".join(lines)


def numbers(text: str) -> list[int]:
    """Return the whole numbers of a list with commas."""
    return [int(float(part)) for part in text.split(",")]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="10 million events too")
    parser.add_argument("--events", type=numbers, help="numbers of events, as 1e5,1e6")
    parser.add_argument("--items", type=numbers, default=list(ITEMS), help="numbers of items")
    parser.add_argument("--sources", default="", help="only these, as ials,popularity,learn")
    parser.add_argument("--cap", type=int, default=300, help="CPU seconds that one cell may take")
    parser.add_argument("--no-learn", action="store_true", help="leave the whole of learn out")
    parser.add_argument("--json", metavar="FILE", help="write the cells as JSON too")
    options = parser.parse_args()
    events = options.events or [*EVENTS, *([TEN_MILLION] if options.full else [])]
    chosen = [name for name in options.sources.split(",") if name]
    cells = run(events, options.items, chosen, options.cap, whole=not options.no_learn)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(table(cells))
    if options.json:
        Path(options.json).write_text(json.dumps([asdict(cell) for cell in cells], indent=1), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
