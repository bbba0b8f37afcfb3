import pytest

from foretaste.adapters.kafka.cluster import KafkaCluster
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.kafka import own_broker


@pytest.fixture
def own(tmp_path):
    """A broker of one test alone, to be killed, paused and started again."""
    with required(own_broker(tmp_path)) as running:
        yield running


@pytest.fixture
def cluster(broker):
    return KafkaCluster.of(broker.url)
