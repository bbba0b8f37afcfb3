"""What a request is for, told from its first line: looked at before it is let in, so it must cost nothing."""

from foretaste.serving.admission import Priority

READS = frozenset({b"GET", b"HEAD", b"OPTIONS"})
ADMIN_READS = frozenset(
    {b"models", b"jobs", b"scenarios", b"dashboard", b"evaluation", b"monitoring", b"docs"}
)
ANSWERS_POSTED = frozenset({b"recommend", b"personalize"})
ADMIN_POSTED = frozenset({b"models", b"retrain", b"jobs", b"scenarios"})


def priority_of(method: bytes, address: bytes) -> Priority:
    """Return what a request is for, by its method and its address.

    Changes of the catalog and of people count as events: they too must not get lost.
    """
    first = address[1:].partition(b"?")[0].partition(b"/")[0]
    if first in {b"health", b"metrics"}:
        return Priority.HEALTH
    reads = method in READS
    if first in (ADMIN_READS if reads else ADMIN_POSTED):
        return Priority.ADMIN
    return Priority.ANSWERS if reads or first in ANSWERS_POSTED else Priority.EVENTS
