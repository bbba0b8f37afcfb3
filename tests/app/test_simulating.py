"""A simulation reaches its targets whole, waits where it is told to, and is judged by what is known."""

import json
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import foretaste as ft
from foretaste.adapters.memory.event_stream import MemoryBroker, MemoryEventSink
from foretaste.app.settings import Settings
from foretaste.app.simulating import Simulation
from foretaste.app.simulation_http import HttpTarget
from foretaste.app.simulation_targets import FileTarget, HomeTarget, StreamTarget
from foretaste.app.wiring import home_in_memory
from foretaste.domain.errors import InvalidInputError, UnavailableError
from foretaste.testing.served import served_home
from foretaste.testing.simulator.judging import judged
from foretaste.testing.simulator.scenery import Scenery
from foretaste.testing.simulator.traffic import deliveries
from foretaste.testing.simulator.world import World

SCENERY = Scenery(users=30, items=40, rate=0.1, duration=6_000, duplicates=0.05, late=0.05, seed=8)


@pytest.fixture(scope="module")
def world():
    return World(SCENERY)


@pytest.fixture(scope="module")
def traffic(world):
    return list(deliveries(world))


def different(traffic):
    return [delivery.event for delivery in traffic if not delivery.again]


def test_a_file_holds_every_delivery_in_order_and_can_be_taken_in(tmp_path, world, traffic):
    with closing(FileTarget(tmp_path / "traffic.jsonl")) as target:
        counts = Simulation(world, target, batch=37).run()
    assert (counts["deliveries"], counts["events"]) == (len(traffic), len(different(traffic)))
    assert list(ft.read_events(tmp_path / "traffic.jsonl")) == [delivery.event for delivery in traffic]
    assert ft.read_items(tmp_path / "traffic.items.jsonl") == world.items


def test_a_home_takes_every_event_once(tmp_path, world, traffic):
    with closing(HomeTarget(tmp_path / "home")) as target:
        counts = Simulation(world, target).run()
    twice = len(traffic) - len(different(traffic))
    assert (counts["accepted"], counts["duplicates"]) == (len(different(traffic)), twice)
    with ft.Recommender.open(tmp_path / "home", read_only=True) as rec:
        stored = [event for _, event in rec.home.log.events(0, 10_000)]
        assert stored == list({delivery.event.event_id: delivery.event for delivery in traffic}.values())
        assert len(rec.home.catalog_columns.items) == len(world.items)


def test_a_stream_gets_every_delivery_people_s_events_in_order(world, traffic):
    broker = MemoryBroker()
    with closing(StreamTarget(MemoryEventSink(broker, "events"), "memory")) as target:
        Simulation(world, target, batch=50).run()
    messages = [message for partition in broker.topic("events")[1] for message in partition]
    sent = sorted(json.loads(message.value)["event_id"] for message in messages)
    assert sent == sorted(delivery.event.event_id for delivery in traffic)
    assert all(message.key.decode() == json.loads(message.value)["user_id"] for message in messages)


def test_a_service_takes_every_event_once_and_can_be_judged(world, traffic):
    with home_in_memory() as home, served_home(home) as url:
        with closing(HttpTarget(url, concurrency=3)) as target:
            simulation = Simulation(world, target, batch=40)
            counts = simulation.run()
            judgement = simulation.judge(5)
        assert counts["accepted"] + counts["duplicates"] == len(traffic)
        assert home.log.last_seq() == counts["accepted"] == len(different(traffic))
        assert len(home.catalog_columns.items) == len(world.items)
    assert judgement.people == 5
    assert 0.0 < judgement.reward <= judgement.oracle


class Overloaded:
    """A service that refuses the first requests, and notes what reached it and how many at a time."""

    def __init__(self, refusals, status=503, retry_after="2"):
        self.refusals, self.status, self.retry_after = refusals, status, retry_after
        self.lock = threading.Lock()
        self.present = self.most = 0
        self.taken: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self):
                self.answer(200, {"items": []})

            def do_POST(self):
                body = json.loads(self.body())
                with outer.lock:
                    outer.present += 1
                    outer.most = max(outer.most, outer.present)
                    refuse = outer.refusals > 0
                    outer.refusals -= refuse
                try:
                    if refuse:
                        self.answer(outer.status, {"detail": "busy"})
                        return
                    outer.taken += [event["event_id"] for event in body]
                    self.answer(202, {"accepted": len(body), "duplicates": 0, "rejected": 0})
                finally:
                    with outer.lock:
                        outer.present -= 1

            def body(self):
                return self.rfile.read(int(self.headers["Content-Length"]))

            def answer(self, status, value):
                if self.command == "PUT":
                    self.body()
                text = json.dumps(value).encode()
                self.send_response(status)
                if status == outer.status and outer.retry_after:
                    self.send_header("Retry-After", outer.retry_after)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def test_a_refusal_is_waited_out_as_retry_after_says_and_nothing_is_lost(world, traffic):
    waited = []
    with Overloaded(3) as busy, closing(HttpTarget(busy.url, concurrency=2, sleep=waited.append)) as target:
        counts = Simulation(world, target, batch=30).run()
    assert waited == [2.0, 2.0, 2.0]
    assert counts["retried"] == 3
    assert sorted(busy.taken) == sorted(delivery.event.event_id for delivery in traffic)


def test_no_more_requests_are_under_way_than_allowed(world):
    with Overloaded(0) as busy, closing(HttpTarget(busy.url, concurrency=2)) as target:
        Simulation(world, target, batch=5).run()
    assert 1 <= busy.most <= 2


class Passing:
    """Time that passes when it is slept through, in seconds."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr("foretaste.app.simulation_http.time.monotonic", lambda: self.now)

    def sleep(self, seconds):
        self.now += seconds


def test_an_address_where_nobody_answers_is_said_to_be_one_within_seconds(world, monkeypatch):
    with Overloaded(0) as gone:
        url = gone.url
    time = Passing(monkeypatch)
    with (
        closing(HttpTarget(url, concurrency=1, sleep=time.sleep)) as target,
        pytest.raises(UnavailableError, match=r"nobody answers at .*; start the service, or correct"),
    ):
        Simulation(world, target).run()
    assert 5 < time.now <= 15


def test_a_service_that_has_answered_is_given_a_minute_to_come_back(traffic, monkeypatch):
    time = Passing(monkeypatch)
    with (
        Overloaded(10**6, retry_after="") as busy,
        closing(HttpTarget(busy.url, sleep=time.sleep)) as target,
        pytest.raises(UnavailableError, match=r"did not take /events within 60 s: .*busy"),
    ):
        target.send(different(traffic)[:1])
    assert 50 < time.now <= 60


def test_a_service_that_refuses_for_good_ends_the_simulation_with_its_reason(world):
    with (
        Overloaded(10**6, status=400, retry_after="") as strict,
        closing(HttpTarget(strict.url)) as target,
        pytest.raises(InvalidInputError, match="busy"),
    ):
        Simulation(world, target).run()


@pytest.mark.parametrize("url", ["ftp://somewhere", "http://", "127.0.0.1:8000"])
def test_what_is_no_address_is_said_to_be_none(url):
    with pytest.raises(InvalidInputError, match="no address"):
        HttpTarget(url)


class Clock:
    """Time that passes when it is slept through; notes when what was sent."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += round(seconds * 1_000_000) + 1


def test_live_events_are_sent_when_they_are_due(tmp_path, world, traffic):
    clock, sent = Clock(SCENERY.start), []

    class Noting(FileTarget):
        def send(self, events):
            sent.append((clock.now, len(events)))
            return super().send(events)

    due = iter(traffic)
    with closing(Noting(tmp_path / "live.jsonl")) as target:
        Simulation(world, target, live=True, clock=clock, sleep=clock.sleep).run()
    for at, count in sent:
        batch = [next(due) for _ in range(count)]
        assert batch[-1].at <= at
        assert batch[-1].at - batch[0].at < 500_000
    assert next(due, None) is None


def test_what_gives_no_answers_cannot_be_judged(tmp_path, world):
    with (
        closing(FileTarget(tmp_path / "x.jsonl")) as target,
        pytest.raises(InvalidInputError, match="--judge"),
    ):
        Simulation(world, target).judge(3)


def test_the_oracle_is_all_of_the_way_and_popularity_none(world):
    people, popular = world.users[:10], [item.item_id for item in world.items]
    best = judged(
        world, SCENERY.end, lambda u, k: world.best(u, SCENERY.end, k), people=people, popular=popular
    )
    same = judged(world, SCENERY.end, lambda _, k: popular[:k], people=people, popular=popular)
    assert (best.share, same.share) == (1.0, 0.0)
    assert best.reward == best.oracle > same.reward == same.popular == best.popular


def test_a_model_learnt_from_the_simulation_is_nearer_to_the_oracle_than_popularity(tmp_path):
    scenery = Scenery(users=80, items=120, rate=0.12, duration=50_000, seed=11)
    world = World(scenery)
    with closing(FileTarget(tmp_path / "traffic.jsonl")) as target:
        simulation = Simulation(world, target)
        simulation.run()
    events = ft.read_events(tmp_path / "traffic.jsonl", items=world.items)
    settings = Settings(effort="quick", sources=("popularity", "item_item", "ials", "context"))
    with ft.Recommender.train(events, settings=settings) as rec:
        judgement = judged(
            world,
            scenery.end,
            lambda user, k: [place.item_id for place in rec.recommend(user, k, now=scenery.end, seed=0)],
            people=world.users,
            popular=simulation.popular(),
            had=simulation.had,
        )
    assert judgement.popular < judgement.reward < judgement.oracle
    assert judgement.share > 0.2
