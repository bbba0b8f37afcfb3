"""A service ends, whatever its processes do."""

import subprocess
import sys

import pytest

from foretaste.app.processes import supervisor
from foretaste.app.processes.order import Order
from foretaste.app.processes.page import SharedPage
from foretaste.app.processes.supervisor import Child, Plan, Service

DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
)


@pytest.mark.parametrize("role", ["keeper", "reader"])
def test_a_process_that_hears_no_sigterm_is_killed_in_the_end(tmp_path, monkeypatch, capsys, role):
    monkeypatch.setattr(supervisor, "KEEPER_SECONDS", 0.2)
    monkeypatch.setattr(supervisor, "READER_SECONDS", 0.2)
    deaf = subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE)
    deaf.stdout.readline()
    order = Order(role=role, slot=0, home="", folder=str(tmp_path), listener=0, lifeline=0)
    plan = Plan(home="", listener=0, workers=1, address="")
    service = Service(plan, SharedPage.create(tmp_path / "page"), tmp_path, (0, 0), [Child(order, deaf)])
    service.end()
    deaf.stdout.close()
    assert deaf.returncode == -9
    assert f"{order.name} did not end within 0.2 s; killed" in capsys.readouterr().err
