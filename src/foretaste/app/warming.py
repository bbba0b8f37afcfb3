"""What the first request would otherwise wait for, done before it comes."""

from foretaste.app.home import Home
from foretaste.domain.clock import system_clock
from foretaste.domain.query import Query
from foretaste.models.warming import follow_events
from foretaste.pipeline.warming import warm_up

PEOPLE = 3


def warm(home: Home) -> None:
    """Compile or load all kernels of the request and event path, and answer a few questions unrecorded.

    The state gets room to grow, which it would make while the first event waits.
    """
    warm_up()
    follow_events(home.artifact.models.values() if home.artifact else ())
    home.state.make_room()
    now = system_clock()
    for user_id in [None, *home.id_map.names("user")[:PEOPLE]]:
        home.answerer.recommend(Query(now=now, seed=0, user_id=user_id, explain=True), dry_run=True)
