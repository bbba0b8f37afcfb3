"""Records of what was shown that several processes write into one file, and how they leave it."""

from foretaste.adapters.sqlite.exposure_log import SqliteExposureLog
from foretaste.testing.contracts.exposure_log import NOW, an_exposure
from foretaste.testing.waiting import until

DAY = 86_400_000_000


def test_what_others_wrote_is_removed_in_time_by_who_has_the_file_and_writes_nothing(tmp_path):
    clock = [NOW]
    keeper = SqliteExposureLog(
        tmp_path / "exposures.db", retention_days=10.0, clock=lambda: clock[0], purge_seconds=0.1
    )
    worker = SqliteExposureLog(tmp_path / "exposures.db", beside=True)
    worker.record(an_exposure("old", time=NOW))
    worker.record(an_exposure("young", time=NOW + 9 * DAY))
    worker.flush()
    assert [record.recommendation_id for record in worker.read()] == ["old", "young"]
    clock[0] = NOW + 11 * DAY
    until(lambda: [record.recommendation_id for record in worker.read()] == ["young"])
    worker.close()
    keeper.close()
