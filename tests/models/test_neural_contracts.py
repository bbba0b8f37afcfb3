"""Neural models keep the promises of the interface."""

import pytest

from foretaste.models.interface import Learner
from foretaste.models.neural.ncf import NCFConfig
from foretaste.models.neural.self_attention import SelfAttentionConfig
from foretaste.testing.contracts.model import ModelContract

pytest.importorskip("optax", reason="needs the extra `neural` to be fitted")


class TestNCF(ModelContract):
    def learner(self) -> Learner:
        return NCFConfig(dim=16, hidden=8, length=16, dropout=0.2, work=0.01)


class TestSelfAttention(ModelContract):
    def learner(self) -> Learner:
        return SelfAttentionConfig(dim=16, layers=2, heads=2, length=16, dropout=0.1, work=0.02)
