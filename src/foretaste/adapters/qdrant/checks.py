"""What is wrong with a Qdrant, before it costs searches."""

from contextlib import closing

from foretaste.adapters.qdrant.collection import published_names
from foretaste.adapters.qdrant.server import QdrantServer
from foretaste.domain.check import Check
from foretaste.ports.telemetry import Telemetry


def checks(url: str, namespace: str, telemetry: Telemetry) -> list[Check]:
    """Return what was found of the server at `url`, and which indexes of `namespace` it holds.

    Raises `UnavailableError` where it is away or refuses the key, `InvalidInputError` for a URL that is none.
    """
    with closing(QdrantServer.at(url, telemetry)) as server:
        version = server.ask(lambda client: client.info()).version
        names = published_names(server, namespace)
        where = server.where
    held = f"holds {', '.join(names)}" if names else "holds no index of this namespace yet"
    return [
        Check(level="good", words=f"{where}, version {version}"),
        Check(
            level="good" if names else "note",
            words=held,
            remedy=None if names else "make one: ItemIndex.of",
        ),
    ]
