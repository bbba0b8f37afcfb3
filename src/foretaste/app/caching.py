"""Warming the cache: the answers that people are likely to ask for, before they do."""

from collections.abc import Callable, Iterator

import msgspec

from foretaste.app.arguments import new_seed
from foretaste.app.home import Home
from foretaste.domain.clock import MICROS_PER_DAY, system_clock
from foretaste.domain.errors import ForetasteError, UnavailableError
from foretaste.domain.query import Query
from foretaste.serving.answering import CACHE


class Warmed(msgspec.Struct, frozen=True, kw_only=True):
    """What warming did: for how many people an answer was made, was there already, or failed.

    `unkept` is how many of those made the cache did not keep. Those that it keeps are given again for
    `last_seconds` at most.
    """

    people: int
    made: int
    kept: int
    failed: int
    unkept: int = 0
    last_seconds: float


def active_users(home: Home, *, days: float, most: int | None = None) -> list[str]:
    """Return who has done something within `days` before the log's latest event, the latest first."""
    state = home.state
    names = home.id_map.names("user")
    with state.lock:
        latest = [(state.summary(user).last, user) for user in range(min(state.n_users, len(names)))]
    known = sorted(((last, -user) for last, user in latest if last is not None), reverse=True)
    since = known[0][0] - days * MICROS_PER_DAY if known else 0
    return [names[-user] for last, user in known[:most] if last >= since]


def warm_cache(
    home: Home,
    user_ids: list[str],
    *,
    k: int = 10,
    scenario: str = "home",
    advance: Callable[[int], object] = lambda _amount: None,
) -> Warmed:
    """Ask for every person what a client would ask for, so that the answer is kept; nothing is recorded.

    One person's failure is counted and leaves the others. Raises `UnavailableError` where there is no cache,
    where it is away, or where it kept nothing of all that was made.
    """
    cache = home.answerer.cache
    if cache is None:
        raise UnavailableError(
            "answers are not kept anywhere: set FORETASTE_REDIS_URL, or FORETASTE_ANSWER_CACHE",
            field="answer_cache",
        )
    away, before = cache.complaint(), cache.unkept
    if away:
        raise UnavailableError(away, field="answer_cache")
    sources = list(_asked(home, user_ids, k, scenario, advance))
    warmed = Warmed(
        people=len(sources),
        made=sum(source not in {None, CACHE} for source in sources),
        kept=sources.count(CACHE),
        failed=sources.count(None),
        unkept=cache.unkept - before,
        last_seconds=min(home.settings.item_state_seconds, home.settings.answer_cache_seconds),
    )
    if warmed.unkept >= warmed.made > 0:
        raise UnavailableError(
            f"none of {warmed.made:,} answers was kept: {cache.complaint() or 'the cache is full, it seems'}",
            field="answer_cache",
        )
    return warmed


def _asked(
    home: Home, user_ids: list[str], k: int, scenario: str, advance: Callable[[int], object]
) -> Iterator[str | None]:
    for user_id in user_ids:
        query = Query(
            now=system_clock(),
            seed=new_seed(),
            user_id=user_id,
            scenario=scenario,
            k=k,
        )
        try:
            yield home.answerer.prepare(query)
        except ForetasteError:
            yield None
        advance(1)
