"""The client costs a program nothing but itself."""

import subprocess
import sys


def test_the_client_loads_nothing_of_the_service():
    code = (
        "import sys, foretaste.client\n"
        "ours = {name for name in sys.modules if name.startswith('foretaste.')}\n"
        "heavy = {'numpy', 'numba', 'polars', 'scipy', 'uvicorn', 'typer'} & set(sys.modules)\n"
        "print(sorted(name for name in ours if not name.startswith('foretaste.client')), sorted(heavy))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[] []"
