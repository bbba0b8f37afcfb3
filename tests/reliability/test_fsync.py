"""An acknowledgement comes after a sync that succeeded: where syncing fails, nothing is acknowledged."""

import subprocess
import sys
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("fsync_child.py")
UNSUPPORTED = 77


def told_without_sync(directory, synchronous):
    """Return what senders were told before and after the disk began to refuse syncing, and the last seq."""
    command = [sys.executable, str(CHILD), str(directory / "foretaste.db"), synchronous]
    child = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if child.returncode == UNSUPPORTED:
        pytest.skip("this system does not let a process filter its system calls")
    return child.stdout.split()


def test_an_event_that_could_not_be_synced_is_not_acknowledged(tmp_path):
    assert told_without_sync(tmp_path, "FULL") == ["accepted", "NotDurableError", "1"]


def test_the_check_would_notice_a_log_that_does_not_sync(tmp_path):
    assert told_without_sync(tmp_path, "NORMAL") == ["accepted", "accepted", "2"]
