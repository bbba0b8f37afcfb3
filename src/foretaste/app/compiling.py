"""Kernels that a process beside this one compiles: the first start after an installation is sooner done."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from foretaste.domain.kernel_cache import are_compiled, are_kept
from foretaste.domain.parallel import usable_cores

_AHEAD = "from foretaste.pipeline.warming import compile_from_the_end as ahead; ahead()"


@contextmanager
def compiling_beside() -> Iterator[None]:
    """Let another process compile meanwhile what answers need, those kernels first that are needed last.

    Nothing is started where all is compiled, where nothing can be kept, or on a single core. The other
    process ends with the block at the latest; what it compiled is on the disk then, and what it did not this
    one compiles.
    """
    if are_compiled() or not are_kept() or usable_cores() < 2:
        yield
        return
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _AHEAD],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()
