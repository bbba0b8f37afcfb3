"""Run every benchmark, one after the other: `python benchmarks/run_all.py [--data FOLDER]`.

`--data` is a folder with data that must be fetched by hand (`gowalla/train.parquet`, `gowalla/test.parquet`);
without it what needs them is left out, and said to be.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def commands(data: Path | None) -> list[list[str]]:
    """Return the commands to run."""
    found = [["movielens_live.py"], ["ingest.py"], ["start.py"], ["http_load.py"], ["http_frameworks.py"]]
    if data is not None and (data / "gowalla").is_dir():
        found.insert(0, ["gowalla.py", "--data", str(data / "gowalla")])
    else:
        print("gowalla.py is left out: name a folder that holds gowalla/ with --data")
    return found


def main() -> int:
    """Run them; return the number that failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    failed = 0
    for command in commands(parser.parse_args().data):
        print(f"\n==> {' '.join(command)}", flush=True)
        failed += (
            subprocess.run([sys.executable, str(HERE / command[0]), *command[1:]], check=False).returncode
            != 0
        )
    return failed


if __name__ == "__main__":
    sys.exit(main())
