"""The learners there are, by the tag that their configurations carry."""

from collections.abc import Mapping
from types import MappingProxyType

from foretaste.models.cold_items import ColdItemsConfig, ColdKind
from foretaste.models.content import Content, ContentConfig
from foretaste.models.context_popularity import ContextPopularity, ContextPopularityConfig
from foretaste.models.dense_content import Latent, LatentConfig, Vectors, VectorsConfig
from foretaste.models.ease import Ease, EaseConfig
from foretaste.models.graph_filter import GraphFilter, GraphFilterConfig
from foretaste.models.ials import IALS, IALSConfig
from foretaste.models.interface import Model
from foretaste.models.item_item import ItemItemConfig
from foretaste.models.neural.ncf import NCF, NCFConfig
from foretaste.models.neural.self_attention import SelfAttention, SelfAttentionConfig
from foretaste.models.nmf import NMF, NMFConfig
from foretaste.models.popularity import Popularity, PopularityConfig
from foretaste.models.repetition import Repetition, RepetitionConfig
from foretaste.models.rising import Rising, RisingConfig
from foretaste.models.session_knn import SessionKNN, SessionKNNConfig
from foretaste.models.transitions import Transitions, TransitionsConfig

ModelConfig = (
    PopularityConfig
    | ContextPopularityConfig
    | RisingConfig
    | RepetitionConfig
    | TransitionsConfig
    | IALSConfig
    | NMFConfig
    | EaseConfig
    | GraphFilterConfig
    | ItemItemConfig
    | ContentConfig
    | LatentConfig
    | VectorsConfig
    | ColdItemsConfig
    | SessionKNNConfig
    | NCFConfig
    | SelfAttentionConfig
)
"""Any configuration: a tagged union, `msgspec.convert({"kind": "ials", "dim": 64}, ModelConfig)`."""

MODEL_KINDS: Mapping[str, type[Model]] = MappingProxyType(
    {
        "popularity": Popularity,
        "context_popularity": ContextPopularity,
        "rising": Rising,
        "repetition": Repetition,
        "transitions": Transitions,
        "ials": IALS,
        "nmf": NMF,
        "ease": Ease,
        "graph_filter": GraphFilter,
        "content": Content,
        "latent": Latent,
        "vectors": Vectors,
        "cold_items": ColdKind,
        "session_knn": SessionKNN,
        "ncf": NCF,
        "self_attention": SelfAttention,
    }
)
"""The class of each kind of fitted model."""
