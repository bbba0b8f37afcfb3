"""What a batch is asked for, and what it is made from: a batch that was cut off goes on by it."""

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from foretaste.app.home import Home
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.query import Query
from foretaste.domain.slate import ClickEdition
from foretaste.serving.untrained import UNTRAINED

USERS_PER_PART = 2_000


class BatchOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What every person is asked; `k` 0 is what the scenario says. `users` is a digest of who they are."""

    k: int = 10
    scenario: str = "home"
    model: str | None = None
    filter: tuple[str, ...] = ()
    boost: tuple[str, ...] = ()
    users: str = ""
    users_per_part: int = USERS_PER_PART

    def query(self, user_id: str | None, now: int) -> Query:
        """Return the query for one person."""
        return Query(
            now=now,
            seed=0,
            user_id=user_id,
            scenario=self.scenario,
            model=self.model,
            k=self.k,
            filter=self.filter,
            boost=self.boost,
        )


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """Versions of all that answers depend on, and the moment they are for, in microseconds UTC."""

    now: int
    state_seq: int
    catalog_version: int
    artifact: str
    artifact_hash: str
    blend: str
    scenario_version: str
    clicks: ClickEdition | None = None


class BatchManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A batch: what was asked for, and what it is made from."""

    order: BatchOrder
    pin: Pin
    n_users: int

    @property
    def n_parts(self) -> int:
        """How many parts there are; an empty one where there is nobody."""
        return max(1, -(-self.n_users // self.order.users_per_part))

    @property
    def digest(self) -> str:
        """What stands for all of it in the names of parts."""
        return sha256(msgspec.json.encode(self)).hexdigest()[:12]


def pinned(home: Home, order: BatchOrder, now: int) -> Pin:
    """Return what answers of `home` depend on at present."""
    artifact = home.artifact
    return Pin(
        now=now,
        state_seq=home.state.seq,
        catalog_version=home.catalog_columns.version,
        artifact=UNTRAINED if artifact is None else artifact.version,
        artifact_hash="" if artifact is None else artifact.manifest.hash,
        blend="" if artifact is None else artifact.blend_version,
        scenario_version=home.answerer.ready(order.scenario).scenario.version,
        clicks=home.click_following.edition(artifact, now),
    )


def digest_of(users: Sequence[str]) -> str:
    """Return what stands for a list of people."""
    return sha256("\n".join(users).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def require_same(begun: BatchOrder, asked: BatchOrder, out: str) -> None:
    """Raise `InvalidInputError` that names what a batch that was cut off was asked for otherwise."""
    differing = [
        f"{name} was {getattr(begun, name)!r}, not {getattr(asked, name)!r}"
        for name in BatchOrder.__struct_fields__
        if getattr(begun, name) != getattr(asked, name)
    ]
    if differing:
        raise InvalidInputError(
            f"a batch to {out} was cut off that was asked for otherwise: {'; '.join(differing)}. "
            "Give the same to go on with it, or --anew to begin again",
            field="batch",
        )
