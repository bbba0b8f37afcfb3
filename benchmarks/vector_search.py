"""Vector search: time of one query, recall, time to build, memory, for every index there is.

`python benchmarks/vector_search.py [--rows N] [--full] [--dims 64,128] [--only NAME,NAME] [--queries N]`

Clustered vectors of length one are made up (the same for the same seed): a thousand centres of Zipf's sizes,
as catalogs have. Queries are drawn likewise and are no rows. One query at a time on one thread: p50 and p99
of 1,000 queries in milliseconds of wall time, the CPU time beside it (with that of a server started here),
recall@10 against the true best ten, CPU seconds to build and what the process grew by; then the same
with a filter that allows one row of five, by label. `--full` is 10^6 rows.

Each index is measured in a process of its own. pgvector runs in a PostgreSQL that is started for it, Qdrant
where FORETASTE_TEST_QDRANT_URL names a server; usearch is a peer where it is installed.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np

from foretaste.adapters.faiss.vector_index import FaissVectorIndex
from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.memory.vector_index import MemoryVectorIndex
from foretaste.domain.arrays import Floats
from foretaste.ports.vector_index import VectorIndex

CENTRES = 1_000
SPREAD = 0.6
QUERIES, BEST = 1_000, 10
ONE_OF = 5
QDRANT_URL = "FORETASTE_TEST_QDRANT_URL"
EMBEDDED = ("memory", "flat", "ivf", "hnsw", "auto")
HEAD = "| index | p50 ms | p99 ms | CPU ms | recall@10 | filtered p50 ms / recall | build CPU / wall s | MB |"
NAMES = (*EMBEDDED, "pgvector", "qdrant", "usearch")


def made_up(count: int, dim: int, seed: int) -> Floats:
    """Return `count` vectors of length one around centres that are the same for every seed."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((CENTRES, dim)).astype(np.float32)
    centre = np.minimum(((CENTRES + 1) ** rng.random(count)).astype(np.int64), CENTRES) - 1
    vectors = centres[centre] + np.float32(SPREAD) * rng.standard_normal((count, dim), np.float32)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def labelled(count: int) -> list[dict[str, list[str]]]:
    """Return a label for each row, one of five."""
    kinds = [{"kind": [f"k{number}"]} for number in range(ONE_OF)]
    return [kinds[place % ONE_OF] for place in range(count)]


def memory() -> float:
    """Return what the process holds that is no file, in megabytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Usearch:
    """The peer: usearch's HNSW with its own defaults."""

    def __init__(self) -> None:
        self._library = import_module("usearch.index")
        self._index: Any = None

    def build(self, vectors: Floats, _labels: object = None) -> None:
        """Add the rows on one thread."""
        self._index = self._library.Index(ndim=vectors.shape[1], metric="ip", dtype="f32")
        self._index.add(np.arange(len(vectors)), vectors, threads=1)

    def search(self, queries: Floats, k: int) -> tuple[Any, Any]:
        """Search on one thread."""
        found = self._index.search(queries, k, threads=1)
        return np.atleast_2d(found.keys), np.atleast_2d(found.distances)


def own_cpu() -> float:
    """Return the CPU seconds of this process."""
    return time.process_time()


def parent_of(process: int) -> int:
    """Return the process that started another, on Linux; 0 elsewhere."""
    stat = Path(f"/proc/{process}/stat")
    return int(stat.read_text(encoding="ascii").rpartition(")")[2].split()[1]) if stat.exists() else 0


def cpu_with(server: int) -> float:
    """Return the CPU seconds of this process and of the children of another, on Linux."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == server:
                ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def measured(
    index: VectorIndex | Usearch, rows: Floats, count: int, cpu_time: Callable[[], float] = own_cpu
) -> dict[str, Any]:
    """Build, ask one by one, with and without a filter, and say how it went."""
    queries = made_up(count, rows.shape[1], seed=2)
    labels = labelled(len(rows))
    held, cpu, wall = memory(), cpu_time(), time.perf_counter()
    index.build(rows, labels)
    built = {
        "build_cpu_s": cpu_time() - cpu,
        "build_wall_s": time.perf_counter() - wall,
        "megabytes": memory() - held,
    }
    plain = asked(lambda query: index.search(query, BEST)[0], queries, rows, None, cpu_time)
    result = {**built, **plain, "kind": getattr(index, "kind", ""), "effort": getattr(index, "effort", "")}
    if not isinstance(index, Usearch):
        allowed = np.arange(len(rows)) % ONE_OF == 1
        chosen = {"kind": ["k1"]}
        filtered = asked(
            lambda query: index.search(query, BEST, filters=chosen)[0], queries, rows, allowed, cpu_time
        )
        result |= {f"filtered_{name}": value for name, value in filtered.items()}
    return result


def asked(
    ask: Callable[[Floats], Any], queries: Floats, rows: Floats, allowed: Any, cpu_time: Callable[[], float]
) -> dict[str, float]:
    """Return p50 and p99 in milliseconds, CPU time per query and recall."""
    for query in queries[:20]:
        ask(query[None])
    times, found = [], []
    cpu = cpu_time()
    for query in queries:
        start = time.perf_counter()
        answer = ask(query[None])
        times.append(time.perf_counter() - start)
        found.append(answer[0])
    cpu = cpu_time() - cpu
    p50, p99 = np.percentile(np.array(times) * 1e3, [50, 99])
    shares = []
    for query, answer in zip(queries, found, strict=True):
        scores = rows @ query
        if allowed is not None:
            scores[~allowed] = -np.inf
        shares.append(np.isin(np.argpartition(-scores, BEST)[:BEST], answer).mean())
    return {
        "p50_ms": float(p50),
        "p99_ms": float(p99),
        "cpu_ms": cpu / len(queries) * 1e3,
        "recall": float(np.mean(shares)),
    }


def measure_one(name: str, count: int, dim: int, queries: int) -> dict[str, Any]:
    """Measure one index in this process."""
    rows = made_up(count, dim, seed=1)
    if name == "pgvector":
        servers = import_module("foretaste.testing.servers.postgres")
        database = import_module("foretaste.adapters.postgres.database")
        adapter = import_module("foretaste.adapters.postgres.vector_index")
        settings = {"shared_buffers": "2GB", "fsync": "off"}
        with (
            servers.own_postgres(settings, from_wheel=True) as server,
            closing(database.PostgresDatabase(server.url, "foretaste_bench")) as opened,
        ):
            parent = parent_of(opened.run(lambda connection: connection.info.backend_pid))
            return measured(adapter.PgVectorIndex(opened), rows, queries, lambda: cpu_with(parent))
    if name == "qdrant":
        adapter = import_module("foretaste.adapters.qdrant.vector_index")
        servers = import_module("foretaste.adapters.qdrant.server")
        with closing(servers.QdrantServer.at(os.environ[QDRANT_URL], MemoryTelemetry())) as server:
            return measured(adapter.QdrantVectorIndex(server, "bench"), rows, queries)
    if name == "usearch":
        return measured(Usearch(), rows, queries)
    index = MemoryVectorIndex() if name == "memory" else FaissVectorIndex(name)  # type: ignore[arg-type]
    return measured(index, rows, queries)


def missing(name: str) -> str:
    """Return why an index cannot be measured here, or nothing."""
    if name == "qdrant" and QDRANT_URL not in os.environ:
        return f"no server: {QDRANT_URL} names none"
    if name == "usearch" and find_spec("usearch") is None:
        return "not installed"
    return ""


def line_of(name: str, result: dict[str, Any]) -> str:
    """Return a row of the table."""
    what = f"{name} → {result['kind']}" if name == "auto" else name
    effort = f" ({result['effort']})" if result["effort"] else ""
    filtered = "-"
    if "filtered_p50_ms" in result:
        filtered = f"{result['filtered_p50_ms']:.2f} / {result['filtered_recall']:.3f}"
    return (
        f"| {what}{effort} | {result['p50_ms']:.2f} | {result['p99_ms']:.2f} | {result['cpu_ms']:.2f} |"
        f" {result['recall']:.3f} | {filtered} | {result['build_cpu_s']:.1f} / {result['build_wall_s']:.1f} |"
        f" {result['megabytes']:.0f} |"
    )


def main() -> int:
    """Measure all that is there; return the number that failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--full", action="store_true", help="10^6 rows")
    parser.add_argument("--dims", default="64,128")
    parser.add_argument("--only", default=",".join(NAMES))
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--one", nargs=2, metavar=("NAME", "DIM"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    count = 1_000_000 if given.full else given.rows
    if given.one:
        name, dim = given.one
        print(json.dumps(measure_one(name, count, int(dim), given.queries)))
        return 0
    failed = 0
    for dim in map(int, given.dims.split(",")):
        print(f"\n{count:,} rows of {dim} numbers\n")
        print(HEAD)
        print("|---|---|---|---|---|---|---|---|")
        for name in given.only.split(","):
            reason = missing(name)
            if reason:
                print(f"| {name} | left out: {reason} |")
                continue
            command = [sys.executable, __file__, "--one", name, str(dim), "--rows", str(count)]
            with tempfile.TemporaryFile("w+") as errors:
                done = subprocess.run(
                    [*command, "--queries", str(given.queries)],
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    check=False,
                )
                errors.seek(0)
                if done.returncode:
                    failed += 1
                    print(f"| {name} | failed: {errors.read()[-500:]} |")
                    continue
            print(line_of(name, json.loads(done.stdout)), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
