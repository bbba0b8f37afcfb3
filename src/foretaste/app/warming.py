"""What the first request would otherwise wait for, done before it comes."""

import time

from foretaste.app.home import Home
from foretaste.domain.query import Query
from foretaste.pipeline.warming import warm_up

PEOPLE = 3


def warm(home: Home) -> None:
    """Compile or load all kernels of the request and event path, and answer a few questions unrecorded."""
    warm_up()
    now = time.time_ns() // 1_000
    for user_id in [None, *home.id_map.names("user")[:PEOPLE]]:
        home.answerer.recommend(Query(now=now, seed=0, user_id=user_id, explain=True), dry_run=True)
