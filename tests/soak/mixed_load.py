"""Everything at once against a running service: answers, events, changes of the catalog, swaps of models."""

import json
import random
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote

USERS, ITEMS = 300, 200
READERS, WRITERS = 3, 1
SWAP_SECONDS = 3.0
TIMEOUT = 60.0


def item_id(number: int) -> str:
    return f"i{number}"


@dataclass
class MixedLoad:
    """Loads a service until `ended`; notes statuses, and answers that showed what had been deleted before."""

    port: int
    models: list[str]
    seed: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    statuses: dict[str, dict[int, int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _deleted: dict[str, float] = field(default_factory=dict)
    """When the deletion of an item was acknowledged; not there while it may be in an answer."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, seconds: float) -> None:
        """Load for `seconds`."""
        works = [*[self._read] * READERS, *[self._write] * WRITERS, self._change_catalog, self._swap]
        threads = [
            threading.Thread(target=self._guarded, args=(work, random.Random(self.seed + number)))
            for number, work in enumerate(works)
        ]
        for thread in threads:
            thread.start()
        self.ended.wait(seconds)
        self.ended.set()
        for thread in threads:
            thread.join(TIMEOUT)

    def _guarded(self, work, chance) -> None:
        try:
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)) as connection:
                while not self.ended.is_set():
                    work(connection, chance)
        except (OSError, HTTPException, ValueError, KeyError) as error:
            self.wrong.append(f"{work.__name__}: {error!r}")
            self.ended.set()

    def _ask(self, connection, what: str, method: str, path: str, body=None):
        content = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        with self._lock:
            counts = self.statuses.setdefault(what, {})
            counts[answer.status] = counts.get(answer.status, 0) + 1
        return answer.status, told

    def _read(self, connection, chance) -> None:
        with self._lock:
            gone = dict(self._deleted)
        user, item = f"u{chance.randrange(USERS + 5)}", item_id(chance.randrange(ITEMS))
        what, path = chance.choice(
            [
                ("recommend", f"/recommend/{user}?k=20"),
                ("filter", f"/recommend/{user}?k=20&filter={quote('not viewed within 1d')}&explain=true"),
                ("trending", f"/recommend/{user}?k=20&scenario=trending"),
                ("similar", f"/items/{item}/similar?k=20"),
                ("profile", f"/users/{user}/profile"),
            ]
        )
        status, told = self._ask(connection, what, "GET", path)
        shown = {one["item_id"] for one in told.get("items", ())} if status == 200 else set()
        with self._lock:
            late = [item for item in shown & gone.keys() if self._deleted.get(item) == gone[item]]
        if late:
            self.wrong.append(f"{path} showed {sorted(late)} after their deletion")

    def _write(self, connection, chance) -> None:
        events = [
            {
                "user_id": f"u{chance.randrange(USERS)}",
                "item_id": item_id(chance.randrange(ITEMS)),
                "type": chance.choice(["view", "click", "purchase"]),
            }
            for _ in range(chance.choice([1, 1, 1, 20]))
        ]
        self._ask(connection, "events", "POST", "/events", events)
        self.ended.wait(0.01)

    def _change_catalog(self, connection, chance) -> None:
        item = item_id(chance.randrange(ITEMS))
        if item in self._deleted or chance.random() < 0.3:
            with self._lock:
                self._deleted.pop(item, None)
            body = {"title": f"Thing {item}", "categories": [f"Kind {chance.randrange(5)}"]}
            self._ask(connection, "put item", "PUT", f"/items/{item}", body)
        else:
            status, _ = self._ask(connection, "delete item", "DELETE", f"/items/{item}")
            if status == 200:
                with self._lock:
                    self._deleted[item] = time.monotonic()
        self.ended.wait(0.05)

    def _swap(self, connection, chance) -> None:
        self._ask(connection, "promote", "POST", f"/models/{chance.choice(self.models)}/promote")
        self.ended.wait(SWAP_SECONDS)
