"""Behind PostgreSQL every worker is a replica, and there is no keeper."""

from contextlib import closing

from foretaste.testing.fresh_trials import run_trials
from foretaste.testing.many_processes import many_processes


def test_workers_behind_postgresql_are_replicas_that_know_what_each_was_told(postgres, schema, tmp_path):
    settings = {
        "FORETASTE_DATABASE_URL": postgres,
        "FORETASTE_DATABASE_SCHEMA": schema,
        "FORETASTE_DATABASE_ANSWER_SECONDS": "30",
    }
    with many_processes(tmp_path / "home", 2, settings) as running:
        assert sorted(running.processes()) == ["replica-0", "replica-1"]
        with closing(running.worker("replica-0")) as one, closing(running.worker("replica-1")) as two:
            trials = run_trials([one, two], 60, seed=3)
            assert (trials.done, trials.misses) == (60, [])
            _, text = one.ask("GET", "/metrics")
            stored = one.ask("GET", "/health")[1]["events"]
            assert f"\nevents_processed_total {stored}.0" in text
