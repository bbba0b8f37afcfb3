"""The promises of `ports.exposure_log.ExposureLog`."""

from foretaste.domain.slate import Exposure, Versions
from foretaste.ports.exposure_log import ExposureLog
from foretaste.testing.sites import ExposureSite

DAY = 86_400_000_000
NOW = 20_000 * DAY
VERSIONS = Versions(
    state_seq=7,
    item_state_seq=6,
    catalog_version=5,
    artifact="a",
    blend="b",
    scenario="home",
    namespace="shop",
)


def an_exposure(name: str, *, time: int = NOW, user_id: str | None = "🦊") -> Exposure:
    """Return a record of two items."""
    return Exposure(
        recommendation_id=name,
        user_id=user_id,
        scenario="home",
        source="personalized",
        time=time,
        items=(3, 1),
        scores=(0.5, 0.25),
        propensities=(1.0, 1.0),
        versions=VERSIONS,
    )


def opened(site: ExposureSite, *, bound: int = 10_000) -> ExposureLog:
    """Open the log at the moment `NOW`, with a retention of ten days."""
    return site.open(bound=bound, retention_days=10.0, clock=lambda: NOW)


class ExposureLogContract:
    """Subclass it with a fixture `site` that gives an `ExposureSite`."""

    def test_a_record_is_found_at_once_and_after_it_was_stored(self, site: ExposureSite) -> None:
        log = opened(site)
        log.record(an_exposure("one"))
        assert log.get("one") == an_exposure("one")
        log.flush()
        assert log.get("one") == an_exposure("one")
        assert log.get("two") is None

    def test_an_anonymous_slate_is_recorded_too(self, site: ExposureSite) -> None:
        log = opened(site)
        log.record(an_exposure("one", user_id=None))
        log.flush()
        assert log.get("one") == an_exposure("one", user_id=None)

    def test_the_latest_record_of_an_id_counts(self, site: ExposureSite) -> None:
        log = opened(site)
        log.record(an_exposure("one", time=NOW - 1))
        log.flush()
        log.record(an_exposure("one"))
        assert log.get("one") == an_exposure("one")
        log.flush()
        assert log.get("one") == an_exposure("one")

    def test_what_was_flushed_is_found_by_another_process(self, site: ExposureSite) -> None:
        log = opened(site)
        for number in range(2500):
            log.record(an_exposure(str(number)))
        log.flush()
        left = site.after_crash()
        assert [left.get(str(number)) is not None for number in range(2500)] == [True] * 2500
        assert log.dropped() == 0

    def test_past_the_bound_the_oldest_are_dropped_and_counted(self, site: ExposureSite) -> None:
        log = opened(site, bound=10)
        for number in range(100):
            log.record(an_exposure(str(number)))
        log.flush()
        kept = [number for number in range(100) if log.get(str(number))]
        assert kept[-10:] == list(range(90, 100))
        assert log.dropped() == 100 - len(kept)

    def test_records_past_the_retention_are_removed(self, site: ExposureSite) -> None:
        log = opened(site)
        log.record(an_exposure("old", time=NOW - 11 * DAY))
        log.record(an_exposure("young", time=NOW - 9 * DAY))
        log.flush()
        assert log.get("old") is None
        assert log.get("young") is not None

    def test_closing_stores_what_waits(self, site: ExposureSite) -> None:
        log = opened(site)
        log.record(an_exposure("one"))
        log.close()
        assert site.after_crash().get("one") == an_exposure("one")

    def test_stored_records_are_read_in_order_of_time(self, site: ExposureSite) -> None:
        log = opened(site)
        for number in (3, 1, 2):
            log.record(an_exposure(str(number), time=NOW - DAY + number))
        log.flush()
        assert [record.recommendation_id for record in log.read()] == ["1", "2", "3"]

    def test_the_newest_are_the_last_of_all(self, site: ExposureSite) -> None:
        log = opened(site)
        for name, time in (("b", NOW), ("a", NOW - 2), ("d", NOW), ("c", NOW - DAY)):
            log.record(an_exposure(name, time=time))
        log.flush()
        everything = list(log.read())
        assert [record.recommendation_id for record in everything] == ["c", "a", "b", "d"]
        assert [list(log.read(newest)) for newest in (0, 1, 3, 9)] == [
            [],
            everything[-1:],
            everything[-3:],
            everything,
        ]

    def test_records_of_a_time_are_read_from_its_begin_to_before_its_end(self, site: ExposureSite) -> None:
        log = opened(site)
        for name, time in (("b", NOW), ("a", NOW), ("d", NOW + 2), ("c", NOW - 1), ("e", NOW + 1)):
            log.record(an_exposure(name, time=time))
        log.flush()
        assert [record.recommendation_id for record in log.between(NOW, NOW + 2)] == ["a", "b", "e"]
        assert not list(log.between(NOW + 3, NOW + 9))
        assert not list(log.between(NOW, NOW))
