"""Training jobs: in processes of their own, one at a time, leaving nothing half done."""

import os
import signal
import sys
import time
from errno import ENOSPC
from threading import Event

import pytest

from foretaste.app import datasets
from foretaste.app.learning import train_home
from foretaste.app.recommender import Recommender
from foretaste.app.retraining.child import Child
from foretaste.app.retraining.job import TrainingOrder
from foretaste.app.retraining.job_folder import KEPT, JobFolder
from foretaste.app.retraining.retraining import Retraining
from foretaste.app.retraining.schedule import Schedule, Trained
from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory, open_home
from foretaste.domain.errors import BusyError, NoModelError, NotFoundError, UnavailableError
from foretaste.testing.registry_sites import write_artifact
from foretaste.testing.waiting import until

HOUR = 3_600_000_000
ENDLESS = (sys.executable, "-c", "import sys; sys.stdin.read()")
"""A process that trains until it is told to end, or nobody is there any more."""

DEAF = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)",
)
"""A process that does not listen."""

ENDS = (sys.executable, "-c", "pass")
KILLED = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")


@pytest.fixture
def home(tmp_path):
    """A home with what can be learnt in seconds, and no model."""
    events = datasets.synthetic(n_users=20, n_items=12, n_events=400, seed=5).events
    settings = Settings(effort="quick", sources=("popularity", "transitions"))
    with open_home(tmp_path / "home", settings=settings, create=True) as opened:
        opened.put_items(events.items)
        Recommender(opened).record_many(events)
        yield opened


def staged(home):
    """What is in the folder of models beside versions."""
    return list((home.directory / "models").glob(".job-*"))


def test_a_job_trains_passes_the_gate_and_its_model_serves(home):
    with Retraining(home) as retraining:
        begun = retraining.begin(TrainingOrder(seed=3))
        assert (begun.state, begun.cause, begun.state_seq) == ("running", "asked for", 400)
        job = until(lambda: (found := retraining.job(begun.job_id)).state != "running" and found)
        assert (job.state, job.reason) == ("succeeded", None)
        assert [stage.stage for stage in job.stages][:2] == ["prepare", "fit"]
        assert job.stage == job.stages[-1].stage == "publish"
        assert all(stage.seconds is not None for stage in job.stages)
        assert job.decision == job.report["gate"]["words"]
        assert job.report["seed"] == 3
        assert "ndcg@10" in job.metrics
        until(lambda: home.artifact is not None)
        assert home.artifact.version == job.model_version
        assert not staged(home)


def test_training_removes_what_served_before_the_records_of_what_was_shown_begin(home, tmp_path):
    days = home.settings.exposure_days
    for version, age in (("old", days + 1), ("younger", days - 1)):
        home.registry.publish(write_artifact(tmp_path / version, version))
        then = time.time() - age * 86_400
        os.utime(home.registry.path(version), (then, then))
    report = train_home(home, seed=3)
    assert {each.version for each in home.registry.versions()} == {"younger", report.version}


def test_a_log_that_teaches_nothing_is_a_failure_in_words(tmp_path):
    with (
        open_home(tmp_path / "home", settings=Settings(), create=True) as empty,
        Retraining(empty) as retraining,
    ):
        begun = retraining.begin()
        job = until(lambda: (found := retraining.job(begun.job_id)).state != "running" and found)
    assert job.state == "failed"
    assert "the log is empty" in job.reason


def test_a_second_job_is_refused_and_told_which_one_runs(home):
    with Retraining(home, command=ENDLESS) as retraining, Retraining(home, command=ENDLESS) as another:
        running = retraining.begin()
        for each in (retraining, another):
            with pytest.raises(BusyError, match=running.job_id):
                each.begin()
        assert [job.job_id for job in another.jobs()] == [running.job_id]


def test_any_process_of_the_home_cancels_a_job_and_nothing_half_is_left(home):
    with Retraining(home, command=ENDLESS) as retraining, Retraining(home, command=ENDLESS) as another:
        running = retraining.begin()
        half = home.directory / "models" / f".job-{running.job_id}"
        half.mkdir(parents=True)
        (half / "weights").write_bytes(b"half")
        assert another.cancel(running.job_id).state == "cancelled"
        assert not staged(home)
        assert retraining.cancel(running.job_id).state == "cancelled"
        assert home.registry.versions() == []
        assert another.begin().state == "running"


def test_a_job_is_cancelled_in_the_middle_of_its_training(home):
    with Retraining(home) as retraining:
        begun = retraining.begin()
        until(lambda: retraining.job(begun.job_id).stage)
        job = retraining.cancel(begun.job_id)
        assert (job.state, job.reason) == ("cancelled", "cancelled by request")
        assert home.registry.versions() == []
        assert not staged(home)


def test_a_process_that_does_not_listen_is_killed(home):
    with Retraining(home, command=DEAF, grace=0.05) as retraining:
        begun = retraining.begin()
        assert retraining.cancel(begun.job_id).state == "cancelled"


def test_closing_a_service_interrupts_its_job_and_the_next_one_says_so(home):
    with Retraining(home) as retraining:
        begun = retraining.begin()
    with Retraining(home) as after:
        job = after.job(begun.job_id)
    assert job.state == "interrupted"
    assert "stopped" in job.reason
    assert not staged(home)


def test_a_job_whose_process_is_killed_has_failed_and_says_how(home):
    with Retraining(home, command=KILLED) as retraining:
        begun = retraining.begin()
        job = until(lambda: (found := retraining.job(begun.job_id)).state != "running" and found)
    assert job.state in {"failed", "interrupted"}
    assert "killed" in job.reason


def test_a_record_without_a_living_process_is_settled_by_whoever_looks(home):
    with Retraining(home, command=ENDLESS) as retraining:
        begun = retraining.begin()
        process = int((home.directory / "jobs" / begun.job_id / "pid").read_text())
        retraining._closing.set()  # as one that died does: it takes no notice any more
        os.kill(process, signal.SIGKILL)
        with Retraining(home) as after:
            assert until(lambda: after.job(begun.job_id).state == "interrupted")


def fill_up(home, job_id):
    """Put so many later copies of a job beside it that it is one too many; return the folder."""
    records = home.directory / "jobs"
    for number in range(KEPT):
        copy = records / f"2000010{number // 24:01}T{number % 24:02}0000-00000{number % 10}"
        copy.mkdir()
        (copy / "job.json").write_bytes((records / job_id / "job.json").read_bytes())
    return records


def test_the_oldest_jobs_are_forgotten(home):
    moments = iter(range(0, 10**15, HOUR))
    with Retraining(home, command=ENDS, clock=lambda: next(moments)) as retraining:
        first = retraining.begin().job_id
        until(lambda: retraining.job(first).state != "running")
    records = fill_up(home, first)
    with Retraining(home, command=ENDS, clock=lambda: next(moments)) as retraining:
        retraining.begin()
        assert len(list(records.glob("*/job.json"))) == KEPT + 1
        with pytest.raises(NotFoundError):
            retraining.job(first)


def test_a_job_is_remembered_until_its_end_was_noticed_where_it_began(home, monkeypatch):
    noticed, wait = Event(), Child.wait
    monkeypatch.setattr(Child, "wait", lambda child: noticed.wait(60) and wait(child))
    moments = iter(range(0, 10**15, HOUR))
    with Retraining(home, command=ENDS, clock=lambda: next(moments)) as retraining:
        first = retraining.begin().job_id
        until(lambda: retraining.job(first).state != "running")
        fill_up(home, first)
        retraining.begin()
        assert retraining.job(first).state == "interrupted"
        noticed.set()


def test_a_job_whose_record_has_no_room_does_not_begin(home, monkeypatch):
    def full(*_):
        raise OSError(ENOSPC, "No space left on device")

    with Retraining(home, command=ENDLESS) as retraining:
        with monkeypatch.context() as disk:
            disk.setattr(JobFolder, "write", full)
            with pytest.raises(UnavailableError, match="No space left on device"):
                retraining.begin()
        assert retraining.begin().is_running


def test_a_disk_without_room_for_the_mark_of_a_job_is_said_in_words(home, monkeypatch):
    def full(*_):
        raise OSError(ENOSPC, "No space left on device")

    with Retraining(home, command=ENDLESS) as retraining:
        with monkeypatch.context() as disk:
            disk.setattr("os.pwrite", full)
            with pytest.raises(UnavailableError, match="No space left on device"):
                retraining.begin()
        begun = retraining.begin()
        assert begun.is_running
        retraining._closing.set()
        os.kill(int((home.directory / "jobs" / begun.job_id / "pid").read_text()), signal.SIGKILL)
        with Retraining(home) as after:
            with monkeypatch.context() as disk:
                disk.setattr(JobFolder, "write", full)
                assert until(lambda: after.job(begun.job_id).state == "interrupted")
            assert after.job(begun.job_id).state == "interrupted"


def test_a_service_in_memory_trains_nothing():
    with home_in_memory() as home, Retraining(home) as retraining:
        assert retraining.jobs() == []
        with pytest.raises(NoModelError, match="in memory"):
            retraining.begin()


@pytest.mark.parametrize("name", ["nope", "../../etc", "20260101T000000-abcdef"])
def test_what_is_no_job_is_not_found(home, name):
    with Retraining(home) as retraining, pytest.raises(NotFoundError):
        retraining.job(name)


def test_a_service_trains_by_itself_once_enough_is_new(tmp_path):
    settings = Settings(retrain_events=5)
    with (
        open_home(tmp_path / "home", settings=settings, create=True) as home,
        Retraining(home, command=ENDLESS) as retraining,
    ):
        retraining.follow(seconds=0.01)
        event = {"item_id": "a", "type": "click"}
        Recommender(home).record_many({**event, "user_id": f"u{number}"} for number in range(6))
        (job,) = until(retraining.jobs)
        assert job.cause.endswith("new events")
        assert until(lambda: retraining.job(job.job_id).is_running)


def test_what_is_not_set_is_no_reason_to_train():
    assert not Schedule().is_set
    assert Schedule().due(Trained(at=0, seq=0), last_seq=10**6, now=10**18) is None


def test_time_counts_from_the_latest_training():
    daily = Schedule(hours=24.0)
    trained = Trained(at=100 * HOUR, seq=10)
    assert daily.due(trained, last_seq=11, now=123 * HOUR) is None
    assert daily.due(trained, last_seq=11, now=124 * HOUR) == "every 24 hours"


def test_without_a_new_event_there_is_nothing_to_learn():
    assert Schedule(hours=1.0, events=1).due(Trained(at=0, seq=10), last_seq=10, now=10**18) is None


def test_new_events_count_from_the_latest_training():
    schedule = Schedule(events=100)
    assert schedule.due(Trained(at=0, seq=50), last_seq=149, now=0) is None
    assert schedule.due(Trained(at=0, seq=50), last_seq=150, now=0) == "100 new events"
