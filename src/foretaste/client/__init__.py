"""A client of a Foretaste service, blocking and asynchronous.

>>> from foretaste.client import Client
>>> with Client("http://127.0.0.1:8000") as shop:
...     answer = shop.recommend("196", k=5)
...     shop.record(user_id="196", item_id=answer.ids[0], type="click",
...                 recommendation_id=answer.recommendation_id)

It needs `httpx` (`pip install 'foretaste[client]'`) and imports nothing else of Foretaste.
"""

from foretaste.client.answers import (
    Boosted,
    CatalogItem,
    Debug,
    EventStatus,
    Evidence,
    Health,
    ItemChange,
    ItemReceipt,
    ItemStatus,
    ManyRecommendations,
    Merged,
    PastEvent,
    PastRecommendations,
    Person,
    PersonAnswered,
    Profile,
    Receipt,
    Recommendations,
    RecommendedItem,
    Relaxed,
    Reproduced,
    ShownItem,
    StageSeen,
)
from foretaste.client.batching import EventBatcher
from foretaste.client.buffer import Batching, Tally
from foretaste.client.clients import AsyncClient, Client
from foretaste.client.errors import (
    BusyError,
    ClientError,
    ClosedError,
    ConflictError,
    InvalidRequestError,
    NoAnswerError,
    NotAllowedError,
    NotFoundError,
    QueueFullError,
    RefusedError,
    ServiceFailedError,
    TimedOutError,
    UnreadableAnswerError,
)
from foretaste.client.events import Event
from foretaste.client.exchange import Patience
from foretaste.client.scenario_calls import (
    Milliseconds,
    Preview,
    PreviewedItem,
    PreviewedRequest,
    Scenario,
    Scenarios,
    ScenarioSummary,
    ShadowReport,
    TakenBack,
)

__all__ = [
    "AsyncClient",
    "Batching",
    "Boosted",
    "BusyError",
    "CatalogItem",
    "Client",
    "ClientError",
    "ClosedError",
    "ConflictError",
    "Debug",
    "Event",
    "EventBatcher",
    "EventStatus",
    "Evidence",
    "Health",
    "InvalidRequestError",
    "ItemChange",
    "ItemReceipt",
    "ItemStatus",
    "ManyRecommendations",
    "Merged",
    "Milliseconds",
    "NoAnswerError",
    "NotAllowedError",
    "NotFoundError",
    "PastEvent",
    "PastRecommendations",
    "Patience",
    "Person",
    "PersonAnswered",
    "Preview",
    "PreviewedItem",
    "PreviewedRequest",
    "Profile",
    "QueueFullError",
    "Receipt",
    "Recommendations",
    "RecommendedItem",
    "RefusedError",
    "Relaxed",
    "Reproduced",
    "Scenario",
    "ScenarioSummary",
    "Scenarios",
    "ServiceFailedError",
    "ShadowReport",
    "ShownItem",
    "StageSeen",
    "TakenBack",
    "Tally",
    "TimedOutError",
    "UnreadableAnswerError",
]
