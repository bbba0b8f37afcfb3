"""What a process of a service is started with."""

from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

Role: TypeAlias = Literal["keeper", "reader", "replica"]


class Order(msgspec.Struct, frozen=True, kw_only=True, tag="order"):
    """Who a process is, and where it meets the others.

    `listener` is the descriptor of the socket that all share; `lifeline` is that of a pipe which ends with
    the process that started this one. `worker` is whether a worker for Kafka runs beside, None for where it
    must.
    """

    role: Role
    slot: int
    home: str
    folder: str
    listener: int
    lifeline: int
    worker: bool | None = None
    as_json: bool = False

    @property
    def name(self) -> str:
        """What the process is called."""
        return self.role if self.role == "keeper" else f"{self.role}-{self.slot}"

    @property
    def directory(self) -> Path:
        """The home."""
        return Path(self.home)

    @property
    def socket(self) -> Path:
        """Where this process is asked by the others."""
        return Path(self.folder) / f"{self.name}.sock"
