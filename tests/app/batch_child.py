"""A batch that says when each of its parts is there, for tests that kill it."""

from pathlib import Path

from foretaste.app.batch.parts import Parts
from foretaste.app.batch.plan import BatchOrder
from foretaste.app.batch.running import run_batch


def main(home: str, out: str, users_per_part: int) -> None:
    write = Parts.write

    def told(self, number, frame, failed):
        write(self, number, frame, failed)
        print(number, flush=True)  # noqa: T201 - the test reads it

    Parts.write = told
    run_batch(Path(home), Path(out), BatchOrder(k=3, users_per_part=users_per_part), processes=1)
