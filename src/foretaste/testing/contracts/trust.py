"""The promises of `ports.trust.TrustRecord`."""

from concurrent.futures import ThreadPoolExecutor

from foretaste.ports.trust import Trust, TrustRecord


class TrustRecordContract:
    """Subclass it with a fixture `record`: a new record."""

    def test_a_new_record_trusts_nothing(self, record: TrustRecord) -> None:
        assert record.read() == Trust(epoch=0, trusted=False, incarnation="")

    def test_trust_is_restored_under_the_next_epoch(self, record: TrustRecord) -> None:
        restored = record.restore(0, "server 1")
        assert restored == record.read() == Trust(epoch=1, trusted=True, incarnation="server 1")

    def test_trust_is_withdrawn_under_the_next_epoch(self, record: TrustRecord) -> None:
        record.restore(0, "server 1")
        withdrawn = record.distrust(1)
        assert withdrawn == record.read()
        assert (withdrawn.epoch, withdrawn.trusted) == (2, False)

    def test_changes_from_another_epoch_change_nothing(self, record: TrustRecord) -> None:
        record.restore(0, "server 1")
        now = record.read()
        assert record.distrust(0) == now
        assert record.distrust(2) == now
        assert record.restore(0, "server 2") == now

    def test_what_is_trusted_is_not_restored_and_what_is_not_is_not_withdrawn(
        self, record: TrustRecord
    ) -> None:
        assert record.distrust(0).epoch == 0
        record.restore(0, "server 1")
        assert record.restore(1, "server 2").incarnation == "server 1"

    def test_of_many_changes_from_one_epoch_the_first_wins(self, record: TrustRecord) -> None:
        with ThreadPoolExecutor(8) as threads:
            seen = list(threads.map(lambda number: record.restore(0, f"server {number}"), range(32)))
        assert {trust.epoch for trust in seen} == {1}
        assert len({trust.incarnation for trust in seen}) == 1
