"""Run every benchmark, one after the other: `python benchmarks/run_all.py [--data FOLDER]`.

`--data` is a folder with data that must be fetched by hand: `gowalla/` (`train.parquet`, `test.parquet`),
`amazon-beauty/` (`sequences.parquet`), `ranklens/` (`items.parquet`, `rankings.parquet`), `online-retail/`
(`events.parquet`, `items.parquet`, `users.parquet`). Without it what needs them is left out, and said to be.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import foretaste as ft

HERE = Path(__file__).parent


ON_FOLDERS = (
    ("gowalla", ["gowalla.py"]),
    ("gowalla", ["gowalla.py", "--effort", "best"]),
    ("amazon-beauty", ["beauty.py"]),
    ("amazon-beauty", ["beauty.py", "--effort", "best"]),
    ("amazon-beauty", ["neural.py"]),
    ("ranklens", ["ranklens.py"]),
    ("ranklens", ["slate_training.py"]),
    ("ranklens", ["live_clicks.py"]),
    ("online-retail", ["strangers.py"]),
)
"""A folder within `--data`, and what is run on it."""


def commands(data: Path | None, home: Path) -> list[list[str]]:
    """Return the commands to run."""
    whole = ["--data", str(data)] if data else []
    found = [
        ["movielens_live.py"],
        ["movielens_cuts.py"],
        ["place_bias.py"],
        ["own_slates.py"],
        ["streams.py", *whole],
        ["cold_items.py", *whole],
        ["strangers.py"],
        ["tuning.py"],
    ]
    for folder, command in ON_FOLDERS:
        if data is not None and (data / folder).is_dir():
            found.append([*command, "--data", str(data / folder)])
        else:
            print(f"{' '.join(command)} is left out: name a folder that holds {folder}/ with --data")
    return [
        *found,
        ["ingest.py"],
        ["archive.py"],
        ["start.py"],
        ["http_load.py", "--home", str(home)],
        ["answer_stages.py", "--home", str(home)],
        ["overload.py", "--home", str(home)],
        ["budgets.py"],
        ["large.py"],
        ["http_frameworks.py"],
        ["filters.py"],
        ["top_k.py"],
        ["vector_search.py"],
        ["postgres.py"],
        ["replica_start.py"],
        ["kafka_worker.py"],
        ["online_store.py"],
        ["read_your_writes.py", "--trials", "6000"],
        ["replay.py"],
        ["growth.py", "--events", "1e5", "--cap", "120"],
    ]


def main() -> int:
    """Run them; return the number that failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    data = parser.parse_args().data
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "movielens"
        print("training a home on MovieLens-100K for http_load.py", flush=True)
        ft.Recommender.train(ft.datasets.movielens_100k(), home=home).close()
        for command in commands(data, home):
            print(f"\n==> {' '.join(command)}", flush=True)
            run = subprocess.run([sys.executable, str(HERE / command[0]), *command[1:]], check=False)
            failed += run.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
