"""All that can be set, with its defaults."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from foretaste.app.processes.page import MOST_READERS
from foretaste.features.expressions.limits import USUAL, WIDEST, Limits
from foretaste.training.sources import Effort


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that can be set; each field is also the variable `FORETASTE_<FIELD>`.

    Durations are seconds unless the name says otherwise. What is not set is chosen by the program.
    """

    namespace: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9_-]+$")] = "default"
    """Keeps several shops apart; one process serves one."""

    host: str = "127.0.0.1"
    """The address that `serve` listens on."""

    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    """The port that `serve` listens on; 0 takes a free one."""

    workers: Annotated[int, Meta(ge=1, le=MOST_READERS)] = 1
    """How many processes of `serve` answer at one port: one for each core is right. With more than one,
    another process writes, where the home is one of files; behind PostgreSQL each is a replica."""

    metrics_port: Annotated[int, Meta(ge=0, le=65535)] | None = None
    """The port on which `worker` tells its measures and its health, at the address `host`; 0 takes a free
    one. Not set: none. `serve` tells them on its own port."""

    ready_lag_seconds: Annotated[float, Meta(gt=0)] | None = None
    """For how long PostgreSQL may be out of sight before `/health/ready` is 503, so that a balancer sends
    nobody here; not set: it stays 200 and says what is wrong, because answers go on from what is known."""

    body_limit_bytes: Annotated[int, Meta(ge=1024, le=1 << 30)] = 1 << 20
    """How large the body of one HTTP request may be; a larger one is refused (413)."""

    connections: Annotated[int, Meta(ge=1, le=1_000_000)] = 4096
    """How many connections of clients may be open at once; one more is refused (503)."""

    requests_at_once: Annotated[int, Meta(ge=1, le=100_000)] = 256
    """How many answers, and how many events, may be under way at once; one more is refused (503). Of answers
    fewer are let in while they wait for longer than `wait_seconds`."""

    wait_seconds: Annotated[float, Meta(gt=0, le=60)] = 0.1
    """How long a request may wait until work on it begins, before fewer are let in. An answer that waited
    twice as long is refused (503), unless only a few are under way."""

    answer_seconds: Annotated[float, Meta(ge=0, le=60)] = 0.1
    """How long an answer may be worked on where its client does not say (`X-Request-Timeout`): what is not
    done by then is left out, and named in the answer. 0: as long as it takes."""

    batch_users: Annotated[int, Meta(ge=1, le=10_000)] = 200
    """How many people `POST /recommend/batch` answers in one request; more are refused (400)."""

    allowed_origins: tuple[Annotated[str, Meta(pattern=r"^(\*|https?://[^/]+)$")], ...] = ()
    """Whose pages may ask and write beside the service's own, as `https://shop.example,https://m.example`;
    `*`: everybody's."""

    scenarios_file: str = ""
    """The TOML file of scenarios, read again when it changes; empty: `scenarios.toml` in the home."""

    expression_length: Annotated[int, Meta(ge=16, le=WIDEST.length)] = USUAL.length
    """How many characters a filter or boost may have."""

    expression_depth: Annotated[int, Meta(ge=4, le=WIDEST.depth)] = USUAL.depth
    """How deep a filter or boost may be nested."""

    expression_nodes: Annotated[int, Meta(ge=4, le=WIDEST.nodes)] = USUAL.nodes
    """How many values and operations a filter or boost may have."""

    expression_cost: Annotated[int, Meta(ge=4, le=WIDEST.cost)] = USUAL.cost
    """How many steps over the catalog a filter or boost may take; comparing an attribute is one step."""

    expression_count: Annotated[int, Meta(ge=1, le=WIDEST.count)] = USUAL.count
    """How many filters and boosts one request may have together."""

    weights: dict[str, Annotated[float, Meta(ge=-1000, le=1000)]] = {}
    """Weights of event types that replace the usual ones, as `view=0.3,purchase=2`."""

    history_length: Annotated[int, Meta(ge=1, le=10_000)] = 200
    """How many of a person's latest weighted events are remembered in order."""

    half_lives: tuple[Annotated[float, Meta(gt=0)], ...] = ()
    """Half-lives of popularity, shortest first; empty takes the program's own."""

    snapshot_events: Annotated[int, Meta(ge=1)] = 200_000
    """After how many new events a running service stores a snapshot of its state; on a long log after an
    eighth of what the last one held, if that is more."""

    exposure_days: Annotated[float, Meta(gt=0, le=100_000)] = 90.0
    """How long records of shown slates are kept, and models that serve no more, which made them; the model
    that serves and the one before it stay. The most are 100000, some 270 years."""

    sources: tuple[str, ...] = ()
    """What to learn, as `popularity,ials,nmf`; empty takes the usual sources."""

    without_sources: tuple[str, ...] = ()
    """Sources that answer no more, as `content,ncf`: the others go on with the weights that they have to each
    other, and nothing is trained anew."""

    diversity_threshold: Annotated[float, Meta(ge=0, le=1)] | None = None
    """How far apart the items of a person's slate are at least, as long as there are such (0 to 1); not set:
    no rule in `home`, 0.3 in `discover`. The plain name `DIVERSITY_THRESHOLD` is understood too."""

    serendipity_weight: Annotated[float, Meta(ge=0, le=1)] | None = None
    """How much it counts for an item that it is unlike the person's past (0 to 1); not set: nothing in
    `home`, 0.2 in `discover`. The plain name `SERENDIPITY_WEIGHT` is understood too."""

    collaborative_factors: Annotated[int, Meta(ge=1, le=4096)] | None = None
    """How long the vectors of the source `ials` are; not set: by the size of the catalog. The plain name
    `COLLABORATIVE_FACTORS` is understood too."""

    collaborative_regularization: Annotated[float, Meta(gt=0)] | None = None
    """The regularization of the source `ials`; not set: chosen on held-out events. The plain name
    `COLLABORATIVE_REGULARIZATION` is understood too."""

    content_embedding_dim: Annotated[int, Meta(ge=1, le=4096)] | None = None
    """To how many dimensions the sources `latent` and `vectors` reduce what describes items; not set: 128.
    The plain name `CONTENT_EMBEDDING_DIM` is understood too."""

    environment: Annotated[str, Meta(max_length=64)] = ""
    """What this installation is called, as `production`: `/health` says it. The plain name `ENVIRONMENT` is
    understood too."""

    debug: bool = False
    """Whether `serve` logs what it does in more detail. The plain name `DEBUG` is understood too, where it is
    a truth value."""

    tfidf_max_features: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    """How many words of items' texts are known; not set: 10,000. The plain name `TFIDF_MAX_FEATURES` is
    understood too."""

    text_model: str = ""
    """A folder with a sentence-transformers model (`model.safetensors`, `tokenizer.json`, `config.json`) that
    makes vectors of items' texts; needs the extra `text`. Empty: none."""

    effort: Effort = "usual"
    """How long training may take: `quick` (seconds), `usual` (a minute or two) or `best` (minutes)."""

    archive_url: str = ""
    """Where all events are archived for later trainings: a folder, `delta:///folder` or `s3://bucket/folder`,
    as a Delta table; needs the extra `delta`. Empty: nowhere."""

    kafka_url: str = ""
    """The brokers that events come from and the log is published to, as `kafka://host:port`, several of them
    separated by commas; needs the extra `kafka`. Empty: none."""

    kafka_group: str = ""
    """The group in which workers read together; empty: `foretaste.<namespace>`."""

    kafka_events_topic: str = ""
    """Where events come from; empty: `<namespace>.events`."""

    kafka_log_topic: str = ""
    """Where the log is published; empty: `<namespace>.log`."""

    kafka_dead_topic: str = ""
    """Where messages go that are no events; empty: `<namespace>.events.dead`."""

    kafka_partitions: Annotated[int, Meta(ge=1, le=10_000)] = 6
    """How many partitions a topic gets that the worker makes: as many workers can share it."""

    kafka_session_seconds: Annotated[float, Meta(ge=1, le=300)] = 10.0
    """After how long without a sign of life a worker's partitions go to the others."""

    publish_events: Literal["log", "stream"] = "log"
    """Where `POST /events` puts events: `log`, so that the next answer knows them, or `stream` (Kafka), from
    where a worker brings them into the log."""

    publish_log: bool = True
    """Whether a worker publishes the log for other programs."""

    database_url: str = ""
    """The PostgreSQL that holds everything but models, as `postgresql://user:password@host/name`; needs the
    extra `postgres`. Any number of processes can share it. Empty: files in the home, for one process. The
    plain name `DATABASE_URL` is understood too."""

    database_schema: Annotated[str, Meta(max_length=63)] = ""
    """The schema of our tables; empty: `foretaste_<namespace>`."""

    database_connections: Annotated[int, Meta(ge=2, le=1000)] = 8
    """How many connections one process opens at most."""

    database_answer_seconds: Annotated[float, Meta(gt=0, le=60)] = 0.25
    """How long an answer waits for what other processes were told, before it is given without and says so."""

    database_write_seconds: Annotated[float, Meta(gt=0, le=600)] = 3.0
    """How long events may take until they are durable, before they are refused."""

    vector_index: Annotated[str, Meta(pattern=r"^(auto|flat|ivf|hnsw|pgvector|(qdrants?|https?)://.+)$")] = (
        "auto"
    )
    """Where `ItemIndex` keeps item vectors: in this process with FAISS (`flat` is exact, `ivf` and `hnsw`
    approximate, `auto` chooses by size), in the PostgreSQL of `database_url` (`pgvector`), or in a Qdrant, as
    `qdrant://host:6333`, `qdrants://:key@host` or its http(s) URL."""

    redis_url: str = ""
    """A Redis or Valkey that knows how far people are, so that PostgreSQL is not asked before each answer, as
    `redis://host:port/0`; needs the extra `redis`. Empty: none. The plain names `REDIS_URL`, or `REDIS_HOST`
    and `REDIS_PORT`, are understood too."""

    redis_seconds: Annotated[float, Meta(gt=0, le=60)] = 0.25
    """How long Redis may take before it is left alone."""

    answer_cache: Literal["auto", "redis", "memory", "none"] = "auto"
    """Where finished answers are kept, to be given again while nothing they depend on has changed; `auto`: in
    Redis where `redis_url` is set, else nowhere."""

    answer_cache_seconds: Annotated[float, Meta(ge=0)] = 3600.0
    """How long a kept answer lasts at most; 86400 suits catalogs that hardly change."""

    item_state_seconds: Annotated[float, Meta(gt=0, le=86_400)] = 60.0
    """For how long a kept answer need not notice what others did meanwhile, as what is popular."""

    people_mb: Annotated[int, Meta(ge=0, le=1 << 20)] = 96
    """In about so many megabytes what is worked out of people's histories is kept until their next event."""

    click_rates_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 60.0
    """So often the ranker learns what was shown and clicked since training; 0: not before the next one."""

    page_seconds: Annotated[float, Meta(gt=0, le=86_400)] = 1800.0
    """For how long it is remembered what the boxes of a page showed (`page_id`): in Redis where `redis_url`
    is set, so that all replicas know, else in the process."""

    online_ttl_seconds: Annotated[float, Meta(ge=0)] = 3600.0
    """After how long without an event Redis forgets what it knows of a person; 0: never."""

    blend_questions: Annotated[float, Meta(ge=0, le=1000)] = 2.0
    """From how many events a second, at most, the blend goes on learning while it serves; 0: from none."""

    training_threads: Annotated[int, Meta(ge=1, le=1024)] | None = None
    """On how many threads training fits; not set: on one for each core it may use. The model is the same, bit
    by bit, on any number."""

    log_format: Literal["text", "json"] = "text"
    """How `serve` logs: `text` tells of warnings and errors; `json` of every request and interaction too, one
    JSON object per line, with its time in milliseconds and without any id."""

    log_personal: bool = False
    """Whether lines of `log_format` json have addresses as they came, with ids of people."""

    retrain_hours: Annotated[float, Meta(gt=0)] | None = None
    """How many hours after the latest training `serve` trains again, if there are new events, as 24; not set:
    never. It trains beside the answers, in a process of its own."""

    retrain_events: Annotated[int, Meta(ge=1)] | None = None
    """After how many new events `serve` trains again; not set: never."""

    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    """The seed of training, where the command gives none."""


def expression_limits(settings: Settings) -> Limits:
    """Return the limits of filters and boosts."""
    return Limits(
        length=settings.expression_length,
        depth=settings.expression_depth,
        nodes=settings.expression_nodes,
        cost=settings.expression_cost,
        count=settings.expression_count,
    )
