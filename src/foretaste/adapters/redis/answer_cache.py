"""Answers in Redis or Valkey: one hash for each person."""

from collections.abc import Sequence
from importlib.resources import files

from foretaste.adapters.redis.connection import TIMEOUT_SECONDS, Connections, refusal
from foretaste.adapters.redis.line import Script, permitted
from foretaste.domain.errors import UnavailableError
from foretaste.ports.answer_cache import Lookup
from foretaste.ports.telemetry import Telemetry

TTL_SECONDS = 3600.0


class RedisAnswerCache:
    """`AnswerCache` under the keys `recs:<user_id>`, and `recs` for nobody's answers.

    In namespaces other than `default` the keys begin with `ft:<namespace>:`. A hash ends `ttl_seconds`
    after its first answer (zero: never); it holds at most `most_answers` of `most_answer_bytes` each. How
    much all of them take is bounded by the server's `maxmemory` with an eviction policy.
    """

    def __init__(
        self,
        url: str,
        telemetry: Telemetry,
        *,
        namespace: str = "default",
        ttl_seconds: float = TTL_SECONDS,
        most_answers: int = 16,
        most_answer_bytes: int = 1 << 17,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._connections = Connections(url, telemetry, timeout_seconds=timeout_seconds)
        self._prefix = "recs" if namespace == "default" else f"ft:{namespace}:recs"
        self._ttl = round(1000 * ttl_seconds)
        self._most_answers = most_answers
        self._most_answer_bytes = most_answer_bytes
        self._keep = Script(files(__package__).joinpath("keep_answer.lua").read_bytes())

    def get(self, user_id: str | None, stamp: bytes, request: bytes) -> Lookup:
        """Return what is kept for a request under a stamp."""
        with self._connections.lent("cache_get") as line:
            (reply,) = permitted(line.exchange((("HMGET", self.key(user_id), "stamp", request),)))
        kept, answer = reply if isinstance(reply, list) else (None, None)
        if kept is None:
            return Lookup(answer=None, outcome="absent")
        if kept != stamp:
            return Lookup(answer=None, outcome="stale")
        return Lookup(answer=answer, outcome="absent" if answer is None else "hit")

    def put(self, user_id: str | None, stamp: bytes, request: bytes, answer: bytes) -> bool:
        """Keep an answer; where the server refuses to, the person's answers are removed: then False."""
        if len(answer) > self._most_answer_bytes:
            return False
        key = self.key(user_id)
        command = self._keep.call(key, stamp, request, answer, self._ttl, self._most_answers)
        with self._connections.lent("cache_put") as line:
            refused = refusal(line.run(self._keep, (command,)))
            if refused is not None and refusal(line.exchange((("DEL", key),))) is not None:
                raise UnavailableError(f"Redis refuses to write: {refused}", field="redis_url")
        return refused is None

    def forget(self, user_ids: Sequence[str]) -> int:
        """Remove everything of people."""
        with self._connections.lent("cache_forget") as line:
            replies = line.exchange([("DEL", self.key(user_id)) for user_id in user_ids])
            refused = refusal(replies)
            if refused is not None:
                raise UnavailableError(f"Redis refuses to write: {refused}", field="redis_url")
            return sum(replies)

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    def key(self, user_id: str | None) -> str:
        """Return the key of a person's answers."""
        return self._prefix if user_id is None else f"{self._prefix}:{user_id}"
