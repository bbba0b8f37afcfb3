"""Homes in processes of their own that are told what to do line by line: replicas, for tests.

`python -m foretaste.testing.replicas HOME` opens the home and answers each line of JSON with a line of JSON.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from foretaste.app.home import Home
from foretaste.app.wiring import open_home
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import ForetasteError
from foretaste.domain.item import Item
from foretaste.domain.query import Query

EVERYTHING = 100


class Replica:
    """The parent's end of a replica on the database at `url`; `home` is its own folder."""

    def __init__(self, home: Path, url: str, settings: Mapping[str, str] | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        chosen = {
            "FORETASTE_DATABASE_URL": url,
            "FORETASTE_DATABASE_ANSWER_SECONDS": "30",
            **(settings or {}),
        }
        self._process = subprocess.Popen(  # noqa: S603 # this very module
            [sys.executable, "-m", "foretaste.testing.replicas", str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **chosen},
        )

    def record(self, user_id: str, item_id: str, kind: str = "purchase") -> int:
        """Record an event and return the `state_seq` of its acknowledgement."""
        return int(self._asked(do="record", user_id=user_id, item_id=item_id, type=kind))

    def put(self, item_id: str, **fields: object) -> int:
        """Put an item and return the version of the catalog."""
        return int(self._asked(do="put", item_id=item_id, fields=fields))

    def delete(self, item_id: str) -> int:
        """Delete an item and return the version of the catalog."""
        return int(self._asked(do="delete", item_id=item_id))

    def recommend(self, user_id: str | None) -> tuple[str, int, list[str]]:
        """Return source, `state_seq` and items of an answer."""
        source, state_seq, items = self._asked(do="recommend", user_id=user_id)
        return source, state_seq, items

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=60)

    def _asked(self, **wanted: object) -> Any:
        if self._process.stdin is None or self._process.stdout is None:
            raise BrokenPipeError("the replica has no pipes")
        self._process.stdin.write(msgspec.json.encode(wanted) + b"\n")
        self._process.stdin.flush()
        answer = msgspec.json.decode(self._process.stdout.readline())
        if isinstance(answer, dict):
            raise ForetasteError(answer["error"])
        return answer


def done(home: Home, wanted: Mapping[str, Any]) -> object:
    """Do one thing and return what it gave."""
    now = system_clock()
    if wanted["do"] == "record":
        event = {name: wanted[name] for name in ("user_id", "item_id", "type")}
        return home.recorder.record([event], now=now).state_seq
    if wanted["do"] == "put":
        return home.put_items([msgspec.convert({"item_id": wanted["item_id"], **wanted["fields"]}, Item)])
    if wanted["do"] == "delete":
        return home.delete_items([wanted["item_id"]])
    query = Query(now=now, seed=1, user_id=wanted["user_id"], k=EVERYTHING)
    slate = home.answerer.recommend(query, dry_run=True)
    return slate.source, slate.versions.state_seq, [item.item_id for item in slate.items]


def main(folder: str) -> None:
    """Serve one home to the parent until it closes the pipe."""
    with open_home(Path(folder), create=True) as home:
        for line in sys.stdin.buffer:
            try:
                answer = done(home, msgspec.json.decode(line))
            except ForetasteError as error:
                answer = {"error": error.message}
            sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
