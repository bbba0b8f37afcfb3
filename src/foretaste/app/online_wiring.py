"""Redis or Valkey beside the log in PostgreSQL."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from foretaste.adapters.redis.answer_cache import RedisAnswerCache
from foretaste.adapters.redis.online_store import RedisOnlineStore
from foretaste.adapters.redis.page_memory import RedisPageMemory
from foretaste.app.condition import Complaint
from foretaste.app.online import OnlineFreshness, VersionLease
from foretaste.app.settings import Settings
from foretaste.domain.arrays import Int64s
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import EventColumns
from foretaste.features.person import limits_of
from foretaste.features.state import State
from foretaste.ports.answer_cache import AnswerCache
from foretaste.ports.freshness import Freshness
from foretaste.ports.id_map import IdMap
from foretaste.ports.page_memory import PageMemory
from foretaste.ports.telemetry import Telemetry
from foretaste.ports.trust import TrustRecord
from foretaste.serving.breaker import Breaker
from foretaste.serving.names import Names
from foretaste.serving.people_online import LivePeople
from foretaste.serving.trust import TrustKeeper, TrustWatch


@dataclass(frozen=True, slots=True)
class Online:
    """What tells how far people are, whether it is well, and what tells it of events in time."""

    freshness: Freshness
    complaint: Complaint
    publish: Callable[[EventColumns, Int64s, Mapping[str, int]], None]


@dataclass(frozen=True, slots=True)
class _Followed:
    """The state of a process that follows the log behind `truth`."""

    state: State
    truth: Freshness

    def catch_up(self) -> None:
        self.truth.catch_up(self.state.seq + 1)


def online(
    settings: Settings,
    truth: Freshness,
    state: State,
    id_map: IdMap,
    record: TrustRecord,
    telemetry: Telemetry,
) -> Online:
    """Return what stands between this process and the Redis of `redis_url`; its threads run already."""
    limits = limits_of(state.config)
    store = RedisOnlineStore(
        settings.redis_url,
        telemetry,
        limits=limits,
        namespace=settings.namespace,
        ttl_seconds=settings.online_ttl_seconds,
        timeout_seconds=settings.redis_seconds,
    )
    trust = TrustKeeper(record, telemetry)
    people = LivePeople(
        store,
        trust,
        _Followed(state, truth),
        Names(id_map),
        lambda user_ids: [truth.head_of(user_id).user_seq for user_id in user_ids],
        telemetry,
        limits=limits,
        breaker=Breaker(random=random.random),
    )
    versions, watch = VersionLease(truth), TrustWatch(trust, store)
    versions.start()
    watch.start()

    def publish(events: EventColumns, previous: Int64s, repeated: Mapping[str, int]) -> None:
        people.publish(events, previous, repeated=repeated)

    def complaint() -> str | None:
        if watch.trouble or trust.belief() is None:
            words = "it is not believed now, PostgreSQL is asked for each answer instead"
            return f"Redis at {store.where}: {words}" + (f" ({watch.trouble})" if watch.trouble else "")
        if store.refused:
            words = f"it refuses to write ({store.refused}), PostgreSQL is asked for whom it does not have"
            return f"Redis at {store.where}: {words}"
        return None

    return Online(OnlineFreshness(truth, people, versions, watch, store), complaint, publish)


def redis_answer_cache(settings: Settings, telemetry: Telemetry) -> AnswerCache:
    """Return the cache of answers in the Redis of `redis_url`.

    Raises `InvalidInputError` where that is not set.
    """
    if not settings.redis_url:
        raise InvalidInputError(
            "answer_cache is redis, but redis_url names none; set it, or choose memory", field="redis_url"
        )
    return RedisAnswerCache(
        settings.redis_url,
        telemetry,
        namespace=settings.namespace,
        ttl_seconds=settings.answer_cache_seconds,
        timeout_seconds=settings.redis_seconds,
    )


def redis_pages(settings: Settings, telemetry: Telemetry) -> PageMemory:
    """Return what remembers pages in the Redis of `redis_url`."""
    return RedisPageMemory(
        settings.redis_url,
        telemetry,
        namespace=settings.namespace,
        ttl_seconds=settings.page_seconds,
        timeout_seconds=settings.redis_seconds,
    )
