"""A batch by several processes: however it ends, none of them outlives it."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from foretaste.app import datasets
from foretaste.app.recommender import Recommender
from foretaste.app.settings import Settings

PROGRAM = Path(__file__).with_name("batch_in_processes.py")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of 40 people."""
    home = tmp_path_factory.mktemp("batch") / "home"
    events = datasets.synthetic(n_users=40, n_items=30, n_events=1_500, seed=3).events
    Recommender.train(events, home=home, settings=Settings(sources=("popularity",), effort="quick")).close()
    return home


@contextmanager
def begun(home, out):
    """A batch that has written its first part, and the number of the process that did."""
    command = [sys.executable, str(PROGRAM), str(home), str(out)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def parts_of(out):
    return list(out.parent.glob(".*.parts/*.parquet"))


def test_processes_end_with_the_batch_that_was_killed(home, tmp_path):
    with begun(home, tmp_path / "all.csv") as (batch, _):
        batch.kill()
        batch.communicate(timeout=30)  # what they write to is closed once all have ended


def test_ctrl_c_ends_a_batch_before_everyone_is_answered_and_without_noise(home, tmp_path):
    with begun(home, tmp_path / "all.csv") as (batch, _):
        os.killpg(batch.pid, signal.SIGINT)
        _, said = batch.communicate(timeout=30)
    assert batch.returncode == -signal.SIGINT
    assert said.count(b"Traceback") == 1  # of the script, which does not catch it
    assert len(parts_of(tmp_path / "all.csv")) < 40


def test_a_process_that_is_killed_is_told_with_what_to_do(home, tmp_path):
    with begun(home, tmp_path / "all.csv") as (batch, one):
        os.kill(one, signal.SIGKILL)
        _, said = batch.communicate(timeout=30)
    assert b"UnavailableError: a process that answered was killed" in said
