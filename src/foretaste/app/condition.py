"""How a process is: what is wrong with its parts, and what is measured of them when somebody looks."""

from collections.abc import Callable

MOST_LAG_SECONDS = 1.0
"""For how long the end of a log that others write may not have been seen, before answers are called stale."""

Complaint = Callable[[], str | None]


class Condition:
    """Collects what the parts of a process have to say of themselves; each is asked anew every time."""

    def __init__(self, complaints: tuple[Complaint, ...] = ()) -> None:
        self._complaints = list(complaints)
        self._measures: list[Callable[[], object]] = []

    def watch(self, complaint: Complaint) -> None:
        """Ask `complaint` too: it returns what is wrong, in words that name the part, or None."""
        self._complaints.append(complaint)

    def measured_by(self, measure: Callable[[], object]) -> None:
        """Call `measure` before measures are exported."""
        self._measures.append(measure)

    def wrong(self) -> tuple[str, ...]:
        """Return what is wrong, nothing where all is well."""
        return tuple([words for complaint in self._complaints if (words := complaint())])

    def measure(self) -> None:
        """Let all parts set their gauges."""
        for measure in self._measures:
            measure()
