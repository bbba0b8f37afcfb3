"""The learners there are, by the tag that their configurations carry."""

from collections.abc import Mapping
from types import MappingProxyType

from foretaste.models.content import Content, ContentConfig
from foretaste.models.ease import Ease, EaseConfig
from foretaste.models.ials import IALS, IALSConfig
from foretaste.models.interface import Model
from foretaste.models.item_item import ItemItemConfig
from foretaste.models.neighbourhood import Neighbourhood, NeighbourhoodConfig
from foretaste.models.nmf import NMF, NMFConfig
from foretaste.models.popularity import Popularity, PopularityConfig
from foretaste.models.session_knn import SessionKNN, SessionKNNConfig
from foretaste.models.transitions import Transitions, TransitionsConfig

ModelConfig = (
    PopularityConfig
    | TransitionsConfig
    | IALSConfig
    | NMFConfig
    | EaseConfig
    | NeighbourhoodConfig
    | ItemItemConfig
    | ContentConfig
    | SessionKNNConfig
)
"""Any configuration: a tagged union, `msgspec.convert({"kind": "ials", "dim": 64}, ModelConfig)`."""

MODEL_KINDS: Mapping[str, type[Model]] = MappingProxyType(
    {
        "popularity": Popularity,
        "transitions": Transitions,
        "ials": IALS,
        "nmf": NMF,
        "ease": Ease,
        "neighbourhood": Neighbourhood,
        "content": Content,
        "session_knn": SessionKNN,
    }
)
"""The class of each kind of fitted model."""
