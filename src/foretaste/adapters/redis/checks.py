"""What is wrong with a Redis or Valkey, before it costs answers."""

import time
from collections.abc import Iterator, Mapping

import msgspec

from foretaste.adapters.redis.cluster import SLOTS, ClusterLine
from foretaste.adapters.redis.connection import Connections
from foretaste.adapters.redis.line import Line
from foretaste.domain.check import Check
from foretaste.ports.telemetry import Telemetry

CHECK_SECONDS = 5.0
MOST_SKEW_SECONDS = 2.0
KEEPS_ALL = "noeviction"


def checks(url: str, telemetry: Telemetry) -> list[Check]:
    """Return what was found of the server at `url`.

    Raises `UnavailableError` where it is away, `InvalidInputError` for a URL that is none.
    """
    connections = Connections(url, telemetry, timeout_seconds=CHECK_SECONDS)
    try:
        with connections.lent("check") as line:
            if isinstance(line, ClusterLine):
                return list(_cluster_checks(line))
            return list(_checks(line))
    finally:
        connections.close()


def _cluster_checks(cluster: ClusterLine) -> Iterator[Check]:
    """Say what was found of the cluster, of its first primary, and what is not well of the others."""
    if cluster.covered < SLOTS:
        yield Check(
            level="problem",
            words=f"{SLOTS - cluster.covered:,} of its {SLOTS:,} slots are served by no node",
            remedy="see CLUSTER INFO; bring the missing node or its replica back",
        )
    yield Check(level="good", words=f"a cluster of {len(cluster.nodes)} primaries")
    for place, (address, line) in enumerate(zip(cluster.addresses, cluster.nodes, strict=True)):
        for check in _checks(line):
            if place == 0 or check.level != "good":
                where = "{}:{}".format(*address)
                yield msgspec.structs.replace(check, words=f"{where}: {check.words}")


def _checks(line: Line) -> Iterator[Check]:
    began = time.time()
    replies = line.exchange((("INFO",), ("TIME",), ("CONFIG", "GET", "save")))
    ended = time.time()
    said = _said(replies[0])
    family = "Valkey" if "valkey_version" in said else "Redis"
    version = said.get("valkey_version") or said.get("redis_version", "?")
    yield Check(level="good", words=f"{family} {version}")
    if said.get("role") != "master":
        yield Check(
            level="problem",
            words="it is a replica: what is written here is refused or lost",
            remedy="name the primary in FORETASTE_REDIS_URL",
        )
    yield _memory(said)
    yield _persistence(said, replies[2])
    yield _clock(replies[1], began, ended)


def _memory(said: Mapping[str, str]) -> Check:
    policy, most = said.get("maxmemory_policy", "?"), int(said.get("maxmemory", "0"))
    if policy == KEEPS_ALL and most:
        return Check(
            level="note",
            words=f"full at {most / (1 << 20):,.0f} MB, and then it refuses to write ({policy})",
            remedy="set maxmemory-policy allkeys-lru: what is dropped is read from the log and made anew",
        )
    if not most:
        return Check(
            level="note",
            words="no maxmemory: it may take all memory of its machine",
            remedy="set maxmemory, and maxmemory-policy allkeys-lru",
        )
    return Check(level="good", words=f"at most {most / (1 << 20):,.0f} MB ({policy})")


def _persistence(said: Mapping[str, str], save: object) -> Check:
    """Say whether data outlive a restart; `save` answers `CONFIG GET save`, which a service may forbid."""
    snapshots = isinstance(save, list) and bool(save[1:]) and save[1] != b""
    if said.get("aof_enabled") == "1" or snapshots:
        kept = "appendonly" if said.get("aof_enabled") == "1" else "snapshots"
        return Check(level="good", words=f"it keeps its data over a restart ({kept})")
    return Check(
        level="note",
        words="a restart empties it; people are then read from the log one by one",
        remedy="set appendonly yes",
    )


def _clock(reply: object, began: float, ended: float) -> Check:
    theirs = [float(part) for part in reply] if isinstance(reply, list) else [began, 0.0]
    moment = theirs[0] + theirs[1] / 1e6
    skew = max(began - moment, moment - ended, 0.0)
    if skew > MOST_SKEW_SECONDS:
        return Check(
            level="note",
            words=f"its clock is {skew:.1f} s off this machine's",
            remedy="let both follow a time server (NTP)",
        )
    return Check(level="good", words="its clock is this machine's")


def _said(reply: object) -> dict[str, str]:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else ""
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name: value for name, _, value in pairs}
