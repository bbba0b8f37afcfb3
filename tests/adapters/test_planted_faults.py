"""The contract suites are worth something: a store that breaks a promise does not pass."""

from contextlib import closing

import pytest

from foretaste.testing import faults
from foretaste.testing.contracts.catalog import CatalogContract
from foretaste.testing.contracts.event_log import EventLogContract
from foretaste.testing.contracts.exposure_log import ExposureLogContract
from foretaste.testing.contracts.id_map import IdMapContract
from foretaste.testing.sites import SqliteExposureSite, SqliteSite

CAUGHT = [
    ("log", faults.ForgetsKeys, EventLogContract, "test_an_event_id_counts_once_across_batches"),
    ("log", faults.ForgetsKeys, EventLogContract, "test_an_event_id_counts_once_across_a_crash"),
    ("log", faults.ForgetsKeysOfTheBatch, EventLogContract, "test_an_event_id_counts_once_within_a_batch"),
    ("log", faults.LosesTheTail, EventLogContract, "test_all_of_a_large_batch_is_stored"),
    ("log", faults.LosesTheTail, EventLogContract, "test_an_acknowledged_event_survives_a_crash"),
    ("log", faults.ReversesBatches, EventLogContract, "test_events_are_numbered_from_one_in_the_order_given"),
    (
        "log",
        faults.ReversesBatches,
        EventLogContract,
        "test_the_order_is_that_of_arrival_whatever_the_timestamps_say",
    ),
    ("log", faults.AcknowledgesBeforeCommit, EventLogContract, "test_an_acknowledged_event_survives_a_crash"),
    ("log", faults.CommitsPiecemeal, EventLogContract, "test_a_batch_is_visible_as_a_whole_or_not_at_all"),
    ("log", faults.ForgetsHowFarStreamsWere, EventLogContract, "test_streams_and_events_survive_together"),
    (
        "log",
        faults.TellsSubscribersLate,
        EventLogContract,
        "test_subscribers_know_the_events_before_the_sender_is_told",
    ),
    (
        "id_map",
        faults.ReusesOrdinals,
        IdMapContract,
        "test_an_ordinal_survives_a_crash_and_is_not_given_again",
    ),
    ("id_map", faults.MergesCases, IdMapContract, "test_any_text_is_kept_apart_from_every_other"),
    ("catalog", faults.KeepsTheVersion, CatalogContract, "test_each_change_advances_the_version_by_one"),
    ("catalog", faults.KeepsTheVersion, CatalogContract, "test_a_follower_misses_nothing"),
    ("catalog", faults.ForgetsDeletions, CatalogContract, "test_a_follower_misses_nothing"),
]


@pytest.mark.parametrize(
    ("part", "fault", "contract", "promise"), CAUGHT, ids=[f"{row[1].__name__}-{row[3]}" for row in CAUGHT]
)
def test_a_planted_fault_breaks_the_promise_it_attacks(tmp_path, part, fault, contract, promise):
    with closing(SqliteSite(tmp_path, **{part: fault})) as site, pytest.raises(AssertionError):
        getattr(contract(), promise)(site)


@pytest.mark.parametrize(("contract", "promise"), sorted({row[2:] for row in CAUGHT}, key=str))
def test_the_same_promise_holds_without_the_fault(tmp_path, contract, promise):
    with closing(SqliteSite(tmp_path)) as site:
        getattr(contract(), promise)(site)


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        (faults.HidesDrops, "test_past_the_bound_the_oldest_are_dropped_and_counted"),
        (faults.StoresNothing, "test_what_was_flushed_is_found_by_another_process"),
    ],
)
def test_a_planted_fault_of_exposures_breaks_the_promise_it_attacks(tmp_path, fault, promise):
    with closing(SqliteExposureSite(tmp_path, fault)) as site, pytest.raises(AssertionError):
        getattr(ExposureLogContract(), promise)(site)
