"""A lock beside a file has one holder at a time, who is named."""

import os
import socket

import pytest

from foretaste.adapters.sqlite.file_lock import FileLock
from foretaste.domain.errors import UnavailableError


def test_the_holder_and_the_remedy_are_named(tmp_path):
    held = FileLock(tmp_path / "log")
    owner = f"process {os.getpid()} on {socket.gethostname()}; ask elsewhere"
    with pytest.raises(UnavailableError) as refused:
        FileLock(tmp_path / "log", remedy="ask elsewhere")
    assert owner in refused.value.message
    held.release()


def test_what_was_given_up_can_be_had_though_a_fork_has_the_descriptor_too(tmp_path):
    held = FileLock(tmp_path / "log")
    inherited = os.dup(held._descriptor)
    held.release()
    FileLock(tmp_path / "log").release()
    os.close(inherited)
