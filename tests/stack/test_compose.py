"""`compose.yaml` brings up the servers that the documentation names."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

COMPOSE = Path(__file__).resolve().parents[2] / "compose.yaml"
SERVICES = yaml.safe_load(COMPOSE.read_text())["services"]


def test_docker_compose_takes_it():
    command = [Path(sys.executable).with_name("docker-compose"), "-f", COMPOSE, "config", "--quiet"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_it_has_every_server():
    assert SERVICES.keys() == {"postgres", "redis", "kafka", "qdrant"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_server_says_when_it_is_well_keeps_its_data_and_is_not_open_to_the_network(name):
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert service["volumes"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert ":" in service["image"]
    assert not service["image"].endswith(":latest")
