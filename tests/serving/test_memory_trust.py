"""The trust record in memory keeps the promises of its port."""

import pytest

from foretaste.adapters.memory.trust import MemoryTrust
from foretaste.testing.contracts.trust import TrustRecordContract


class TestMemoryTrust(TrustRecordContract):
    @pytest.fixture
    def record(self):
        return MemoryTrust()
