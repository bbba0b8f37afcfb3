"""Both telemetries keep the same promises, and dashboards cannot tell them apart."""

import pytest

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.prometheus.telemetry import PrometheusTelemetry
from foretaste.testing.contracts.telemetry import TelemetryContract, samples


class TestMemoryTelemetry(TelemetryContract):
    @pytest.fixture
    def telemetry(self):
        return MemoryTelemetry()


class TestPrometheusTelemetry(TelemetryContract):
    @pytest.fixture
    def telemetry(self):
        return PrometheusTelemetry()

    def test_the_process_itself_is_measured_too(self, telemetry):
        assert samples(telemetry)["process_cpu_seconds_total",] > 0.0


def test_the_same_measurements_read_alike():
    memory, prometheus = MemoryTelemetry(), PrometheusTelemetry()
    for telemetry in (memory, prometheus):
        telemetry.count("answers_total", 2, source="x", kind="y")
        telemetry.observe("answer_seconds", 0.3, stage="all")
        telemetry.gauge("items", 4)
    expected = samples(memory)
    assert {key: value for key, value in samples(prometheus).items() if key in expected} == expected
