"""Several processes at one port answer as one: what one was told, all know."""

import subprocess
import sys

import pytest

from foretaste.testing.fresh_trials import run_trials


@pytest.fixture(scope="module")
def workers(service):
    """A connection with each worker."""
    both = [service.worker("reader-0"), service.worker("reader-1")]
    yield both
    for worker in both:
        worker.close()


def test_what_one_worker_was_told_is_in_the_very_next_answer_of_the_other(workers):
    trials = run_trials(workers, 300, seed=1, catalog_every=5)
    assert trials.misses == []
    assert trials.done == 300


def test_people_and_scenarios_told_to_one_are_known_to_the_other(workers):
    told, asked = workers
    for number in range(20):
        who = f"/users/person-{number}"
        assert told.ask("PUT", who, {"attributes": {"age": number}})[0] == 200
        assert asked.ask("GET", who)[1]["attributes"] == {"age": number}
        told, asked = asked, told


def test_the_record_of_an_answer_is_found_by_the_other_worker_at_once(workers):
    told, asked = workers
    _, slate = told.ask("GET", "/recommend/u1?k=3")
    status, record = asked.ask("GET", f"/recommendations/{slate['recommendation_id']}?reproduce=true")
    assert status == 200
    assert record["reproduced"]["identical"]


def test_both_workers_give_the_same_answer(workers):
    mine, others = [worker.recommend("u2") for worker in workers]
    assert mine == others
    assert mine[2]


def test_metrics_are_the_sums_of_all_processes(workers):
    def counted(worker):
        _, text = worker.ask("GET", "/metrics?profile=shop")
        return float(text.split("\nrecommendation_requests_total ")[1].split("\n")[0])

    before = counted(workers[0])
    for worker in workers:
        worker.ask("GET", "/recommend/u3")
    assert counted(workers[0]) == counted(workers[1]) == before + 2


def test_each_worker_says_how_the_service_is(workers):
    for worker in workers:
        status, health = worker.ask("GET", "/health/ready")
        assert (status, health["status"], health["wrong"]) == (200, "ready", [])


def test_what_cannot_be_read_is_refused_as_by_one_process(workers):
    status, problem = workers[0].ask("POST", "/events", {"user_id": "u1"})
    assert status == 400
    assert problem["status"] == 400
    assert workers[0].ask("GET", "/nowhere")[0] == 404


def test_a_model_that_is_promoted_answers_at_once_in_every_worker(workers):
    _, models = workers[0].ask("GET", "/models")
    older, newer = [model["version"] for model in models["versions"]]
    for version in (older, newer, older):
        for worker in workers:
            assert worker.ask("POST", f"/models/{version}/promote")[0] == 200
            answered = {asked.ask("GET", "/recommend/u4")[1]["model_version"] for asked in workers}
            assert answered == {version}


def test_a_home_that_another_service_has_is_exit_code_4(service):
    second = [sys.executable, "-m", "foretaste.app.cli", "serve", "--workers", "2", "--port", "0"]
    refused = subprocess.run(
        [*second, "--home", str(service.home)], check=False, capture_output=True, text=True
    )
    assert refused.returncode == 4
    assert "in use by process" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_scenario_put_through_one_worker_is_answered_by_the_other_at_once(workers):
    told, asked = workers
    for name in ("quiet", "calm", "slow", "mild"):
        status, said = told.ask("PUT", f"/scenarios/{name}", {"title": name})
        assert status == 200, said
        assert asked.ask("GET", f"/recommend/u6?scenario={name}")[1]["scenario"] == name
        told, asked = asked, told
