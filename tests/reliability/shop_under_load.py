"""A shop with one replica that serves over HTTP, one that survives here, and clients that never give up."""

import json
import random
import time
from contextlib import closing, contextmanager
from functools import cache
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from secrets import token_hex
from threading import Condition, Thread

import psycopg
import serving_child
from psycopg import sql

from foretaste.app.reproducing import fold_log
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.query import Query
from foretaste.testing.forks import Fork
from foretaste.testing.rounds import PLANTED, assert_none_lost_or_doubled
from foretaste.testing.servers.process import free_port
from foretaste.testing.waiting import until

SECONDS = 120.0
CLIENTS, USERS, ITEMS = 4, 40, 200


@cache
def numbered(number):
    """Return the event with this number; always the same."""
    chance = random.Random(number)
    return {
        "event_id": f"event-{number}",
        "user_id": f"user-{chance.randrange(USERS)}",
        "item_id": f"item-{chance.randrange(ITEMS)}",
        "type": chance.choice(["view", "click", "purchase"]),
        "timestamp": 1_700_000_000 + chance.randrange(10**6),
    }


class Clients:
    """Threads that send numbered events to one address, each batch until it is acknowledged, some twice.

    `acknowledged` maps the number of an event to its sequence number in the log.
    """

    def __init__(self, port, seed):
        self.acknowledged = {}
        self.batches = 0
        self.refused = []
        self._port = port
        self._may = Condition()
        self._busy = 0
        self._paused = self._ended = False
        self._threads = [Thread(target=self._run, args=(number, seed)) for number in range(CLIENTS)]

    @contextmanager
    def paused(self):
        """Let all that was sent be acknowledged and nothing be sent meanwhile."""
        with self._may:
            self._paused = True
            assert self._may.wait_for(lambda: not self._busy, SECONDS), "a batch is not acknowledged"
        yield
        with self._may:
            self._paused = False
            self._may.notify_all()

    def heard(self):
        """Return the number of acknowledged events and the last sequence number of each person."""
        told = {}
        for number, seq in dict(self.acknowledged).items():
            count, last = told.get(numbered(number)["user_id"], (0, 0))
            told[numbered(number)["user_id"]] = count + 1, max(last, seq)
        return told

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        with self._may:
            self._ended = True
            self._may.notify_all()
        for thread in self._threads:
            thread.join(SECONDS)
        assert not any(thread.is_alive() for thread in self._threads)

    def _run(self, place, seed):
        chance = random.Random(f"{seed} {place}")
        number, mine = place, []
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=30)) as connection:
            while self._begins():
                if mine and chance.random() < 0.1:
                    batch = chance.choice(mine)
                else:
                    batch = range(number, number + CLIENTS * chance.choice([1, 1, 2, 10]), CLIENTS)
                    number = batch.stop
                    mine.append(batch)
                self._send(connection, batch)
                with self._may:
                    self._busy -= 1
                    self._may.notify_all()

    def _begins(self):
        with self._may:
            self._may.wait_for(lambda: self._ended or not self._paused)
            self._busy += not self._ended
            return not self._ended

    def _send(self, connection, batch):
        body = json.dumps([numbered(number) for number in batch])
        while not self._ended:
            try:
                connection.request("POST", "/events", body, {"content-type": "application/json"})
                answer = connection.getresponse()
                said = json.loads(answer.read())
            except (OSError, HTTPException, ValueError):  # nobody knows what became of it
                connection.close()
                time.sleep(0.005)
                continue
            if answer.status == 202:
                statuses = said["events"]
                with self._may:
                    self.refused += [each for each in statuses if each["status"] == "rejected"]
                    self.acknowledged |= {
                        n: each["seq"] or 0 for n, each in zip(batch, statuses, strict=True)
                    }
                    self.batches += 1
                return
            time.sleep(0.01)


class Shop:
    """A namespace of its own on a PostgreSQL and a Redis; `kind` is the log of the replica that serves."""

    def __init__(self, folder: Path, database: str, redis: str, kind: str = "sound", seed: int = 0):
        self.folder, self.kind = folder, kind
        self.settings = Settings(
            namespace=f"t{token_hex(5)}",
            database_url=database,
            database_connections=4,
            database_write_seconds=20.0,
            database_answer_seconds=20.0,
            redis_url=redis,
        )
        self.port = free_port()
        self.clients = Clients(self.port, seed)
        self.survivor = self._open("survivor")
        self._process = None

    def start(self):
        """Start the replica that serves; who sends before it is ready waits."""
        named = ("namespace", "database_url", "redis_url", "database_write_seconds")
        environment = {f"FORETASTE_{name.upper()}": str(getattr(self.settings, name)) for name in named}
        given = (self.folder / "served", self.port, self.kind)
        self._process = Fork(serving_child.main, *given, environment=environment)

    def kill(self):
        """End it at once."""
        assert self._process.is_running, "the replica ended by itself"
        with self._process:
            self._process.kill()
        assert self._process.exitcode == -9

    def trusts_online_store(self):
        """Whether the survivor believes what the online store says."""
        return b"\nonline_store_trusted 1" in self.survivor.telemetry.exposition()

    def assert_survivor_knows(self, chance, *, stale=False):
        """Ask the survivor for some people: the answers know every event that was acknowledged before.

        Where answers may be `stale` for a while, it asks again.
        """
        told = self.clients.heard()
        for user_id in chance.sample(sorted(told), min(5, len(told))):
            count, last = told[user_id]
            if stale:
                until(lambda: self._answer(user_id).source != "stale")  # noqa: B023
            slate = self._answer(user_id)
            user = int(self.survivor.id_map.find("user", [user_id])[0])
            assert stale or slate.source != "stale"
            assert slate.versions.state_seq >= last, "an answer does not know an acknowledged event"
            assert self.survivor.state.summary(user).events >= count, "an acknowledged event was lost"

    def assert_sound(self, victim, rounds):
        """Compare what was acknowledged, the log, and the states of replicas old and new."""
        with self.clients.paused():
            acknowledged = set(self.clients.acknowledged)
            assert self.clients.refused == []
            self.survivor.log.catch_up()
            events = self.survivor.log.events(0, 10**9)
            stored = [int(event.event_id.removeprefix("event-")) for _, event in events]
            name = victim if self.kind == "sound" else victim + PLANTED
            assert_none_lost_or_doubled(name, rounds, acknowledged, stored)
            assert set(stored) == acknowledged
            assert [seq for seq, _ in events] == list(range(1, len(events) + 1))
            for number, (seq, event) in zip(stored, events, strict=True):
                assert self.clients.acknowledged[number] == seq
                told = numbered(number)
                assert (event.user_id, event.item_id, event.type) == (
                    told["user_id"],
                    told["item_id"],
                    told["type"],
                )
            rebuilt = fold_log(self.survivor).fingerprint()
            assert self.survivor.state.fingerprint() == rebuilt
            with closing(self._open(f"fresh-{rounds}")) as fresh:
                assert fresh.state.fingerprint() == rebuilt

    def __enter__(self):
        self.start()
        self.clients.__enter__()
        return self

    def __exit__(self, *_):
        self.clients.__exit__()
        with self._process:
            self.survivor.close()
        with psycopg.connect(self.settings.database_url, autocommit=True) as connection:
            schema = sql.Identifier(f"foretaste_{self.settings.namespace}")
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))

    def _answer(self, user_id):
        query = Query(now=time.time_ns() // 1_000, seed=1, user_id=user_id)
        return self.survivor.answerer.recommend(query, dry_run=True)

    def _open(self, name):
        return open_home(self.folder / name, settings=self.settings, create=True, with_model=False)
