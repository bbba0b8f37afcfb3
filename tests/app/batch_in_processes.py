"""A batch by two processes that take their time; each says its number when it has written a part."""

import os
import sys
import time
from pathlib import Path

from foretaste.app.batch.parts import Parts
from foretaste.app.batch.plan import BatchOrder
from foretaste.app.batch.running import run_batch

write = Parts.write


def slowly(self, number, frame, failed):
    write(self, number, frame, failed)
    print(os.getpid(), flush=True)  # noqa: T201 - the test reads it
    time.sleep(0.2)


Parts.write = slowly

if __name__ == "__main__":
    run_batch(Path(sys.argv[1]), Path(sys.argv[2]), BatchOrder(k=3, users_per_part=1), processes=2)
