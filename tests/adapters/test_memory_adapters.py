"""The stores in memory keep every promise but durability, which they declare."""

from contextlib import closing
from functools import wraps

import pytest

from foretaste.testing.contracts.catalog import CatalogContract
from foretaste.testing.contracts.event_log import EventLogContract
from foretaste.testing.contracts.exposure_log import ExposureLogContract
from foretaste.testing.contracts.id_map import IdMapContract
from foretaste.testing.sites import MemoryExposureSite, MemorySite


def not_durable(test):
    """Declare a gap: the promise is tested, and expected to be broken."""

    @wraps(test)
    def declared(self, site):
        test(self, site)

    return pytest.mark.xfail(reason="memory ends with the process", strict=True, raises=AssertionError)(
        declared
    )


@pytest.fixture
def site():
    with closing(MemorySite()) as opened:
        yield opened


class TestMemoryEventLog(EventLogContract):
    test_an_acknowledged_event_survives_a_crash = not_durable(
        EventLogContract.test_an_acknowledged_event_survives_a_crash
    )
    test_streams_and_events_survive_together = not_durable(
        EventLogContract.test_streams_and_events_survive_together
    )
    test_an_event_id_counts_once_across_a_crash = not_durable(
        EventLogContract.test_an_event_id_counts_once_across_a_crash
    )


class TestMemoryIdMap(IdMapContract):
    test_an_ordinal_survives_a_crash_and_is_not_given_again = not_durable(
        IdMapContract.test_an_ordinal_survives_a_crash_and_is_not_given_again
    )


class TestMemoryCatalog(CatalogContract):
    test_a_returned_version_survives_a_crash = not_durable(
        CatalogContract.test_a_returned_version_survives_a_crash
    )


class TestMemoryExposureLog(ExposureLogContract):
    @pytest.fixture
    def site(self):
        return MemoryExposureSite()

    test_what_was_flushed_is_found_by_another_process = not_durable(
        ExposureLogContract.test_what_was_flushed_is_found_by_another_process
    )
    test_closing_stores_what_waits = not_durable(ExposureLogContract.test_closing_stores_what_waits)
