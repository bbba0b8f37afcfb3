"""Run every benchmark, one after the other: `python benchmarks/run_all.py [--data FOLDER]`.

`--data` is a folder with data that must be fetched by hand (`gowalla/train.parquet`, `gowalla/test.parquet`);
without it what needs them is left out, and said to be.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import foretaste as ft

HERE = Path(__file__).parent


def commands(data: Path | None, home: Path) -> list[list[str]]:
    """Return the commands to run."""
    found = [
        ["movielens_live.py"],
        ["ingest.py"],
        ["start.py"],
        ["http_load.py", "--home", str(home)],
        ["http_frameworks.py"],
        ["growth.py", "--events", "1e5", "--cap", "120"],
    ]
    if data is not None and (data / "gowalla").is_dir():
        found.insert(0, ["gowalla.py", "--data", str(data / "gowalla")])
    else:
        print("gowalla.py is left out: name a folder that holds gowalla/ with --data")
    return found


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
