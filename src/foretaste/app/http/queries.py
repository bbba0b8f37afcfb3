"""Query parameters of recommendations, and the domain's query that they mean."""

import re
from collections.abc import Callable
from typing import Annotated, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from foretaste.app.arguments import as_context, new_seed, unreadable
from foretaste.app.http.asgi.parameters import MOST_KEPT, Parameters
from foretaste.app.http.bodies import read_body
from foretaste.domain.errors import InvalidQueryError
from foretaste.domain.query import Query
from foretaste.domain.slate_rules import SlateRules
from foretaste.events.context import Told
from foretaste.events.text import checked_id
from foretaste.pipeline.scenario import HOME
from foretaste.serving.cursors import LONGEST

Count: TypeAlias = Annotated[int, Meta(ge=1, le=50, description="How many items.")]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Values: TypeAlias = tuple[str, ...]
PageId: TypeAlias = (
    Annotated[
        str,
        Meta(
            min_length=1,
            max_length=128,
            description="A name of the page that this box is on: it shows nothing that others on it showed.",
        ),
    ]
    | None
)
LONGEST_RULES = 20_000
_LARGEST = 1e9
_read_rules = msgspec.json.Decoder(SlateRules).decode
_EXPRESSION = re.compile(r"""["'()<>=!\[]""")
"""What no name has before the colon of the short form, and every expression with a colon has."""


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What may be in an answer."""

    product_group: Annotated[Values, Meta(description="Only these groups.")] = ()
    product_type: Annotated[Values, Meta(description="Only these types.")] = ()
    category: Annotated[Values, Meta(description="Only items of one of these categories.")] = ()
    filter: Annotated[
        Values,
        Meta(
            description='Only what matches, as `price < 20 and brand in ("a", "b")`; or only this value of '
            "an attribute, as `brand:acme`. May be repeated: all must hold, but values of one attribute are "
            "alternatives."
        ),
    ] = ()
    boost: Annotated[
        Values,
        Meta(
            description="More of this, as `on_sale : 1.5` (the odds where it is true) or "
            "`0.2 * recency(published, 7d)` (added to the score). May be repeated."
        ),
    ] = ()
    exclude_ids: Annotated[Values, Meta(description="Not these items.")] = ()
    exclude_groups: Annotated[Values, Meta(description="Not these groups.")] = ()
    exclude_types: Annotated[Values, Meta(description="Not these types.")] = ()


class RecommendParameters(Filters, frozen=True, kw_only=True):
    """What is asked for a person."""

    k: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=50,
                description="How many items. Some scenarios have another default.",
                extra_json_schema={"default": HOME.k},
            ),
        ]
        | None
    ) = None
    explain: Annotated[bool, Meta(description="Add the past items that speak for each.")] = False
    explain_top_k: Annotated[int, Meta(ge=1, le=10, description="How many past items per item.")] = 3
    diversity_lambda: (
        Annotated[
            Share,
            Meta(
                description="1: pure relevance; 0: pure diversity. Another scenario has its own default.",
                extra_json_schema={"default": HOME.diversity_lambda},
            ),
        ]
        | None
    ) = None
    popularity_correction: (
        Annotated[Share, Meta(description="The power of its popularity that an item's odds are divided by.")]
        | None
    ) = None
    scenario: Annotated[str, Meta(max_length=64, description="The recipe; see `GET /scenarios`.")] = "home"
    item_id: (
        Annotated[str, Meta(max_length=512, description="The item that the scenario starts from.")] | None
    ) = None
    item_ids: Annotated[
        Values, Meta(description="The items that the scenario starts from, as a cart, or puts in order.")
    ] = ()
    model: (
        Annotated[
            str,
            Meta(
                max_length=64,
                description="`hybrid` (all, the usual), `content`, `ncf` or one source; see `GET /models`.",
            ),
        ]
        | None
    ) = None
    min_score: (
        Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST, description="Nothing that scores below.")] | None
    ) = None
    dry_run: Annotated[bool, Meta(description="Neither record nor count this answer.")] = False
    debug: Annotated[
        bool, Meta(description="Add the stages of the answer, with times and candidates in and out.")
    ] = False
    page_id: PageId = None
    cursor: (
        Annotated[
            str,
            Meta(
                max_length=LONGEST,
                description="Ask page by page: empty for the first, then `next_cursor` of the page before.",
            ),
        ]
        | None
    ) = None
    context: Annotated[
        dict[str, str], Meta(description="`context_device=phone` and the like: what is known of the moment.")
    ] = {}


class RuledParameters(RecommendParameters, frozen=True, kw_only=True):
    """What is asked for a person, with rules as text."""

    rules: (
        Annotated[
            str,
            Meta(
                max_length=LONGEST_RULES,
                description="Rules of the slate, as JSON: the object that `POST /recommend` takes.",
            ),
        ]
        | None
    ) = None


class NamedUserParameters(RuledParameters, frozen=True, kw_only=True):
    """The same with the person as a parameter; without, the answer is for nobody in particular."""

    user_id: Annotated[str, Meta(description="The person.")] | None = None


class RecommendBody(RecommendParameters, frozen=True, kw_only=True):
    """The same as JSON: lists are lists, `context` and `rules` are objects, ids may be numbers.

    An option that is null is as good as left out.
    """

    user_id: str | int | None = None
    rules: SlateRules | None = None
    item_id: Annotated[str, Meta(max_length=512)] | int | None = None  # type: ignore[assignment]  # `_texts`
    item_ids: tuple[str | int, ...] = ()  # type: ignore[assignment]  # makes texts of all these
    exclude_ids: tuple[str | int, ...] = ()  # type: ignore[assignment]
    context: dict[str, Told] = {}  # type: ignore[assignment]


Asking = TypeVar("Asking", bound=RecommendBody)
_read_body = msgspec.json.Decoder(RecommendBody).decode


class SimilarParameters(Filters, frozen=True, kw_only=True):
    """What is asked for an item."""

    k: Count = 10
    diversity_lambda: Annotated[Share, Meta(description="1: pure likeness; 0: pure diversity.")] = 1.0
    page_id: PageId = None


OTHER_NAMES = {"limit": "k", "n": "k"}
_ASKED: dict[int, tuple[RecommendParameters, Query]] = {}
"""What parameters mean, by their identity: the same query string gives the same struct (see `Parameters`)."""

_NEVER: tuple[None, None] = (None, None)

WHOLE = ("filter", "boost")
RECOMMEND = Parameters(RuledParameters, OTHER_NAMES, WHOLE)
RECOMMEND_NAMED = Parameters(NamedUserParameters, OTHER_NAMES, WHOLE)
SIMILAR = Parameters(SimilarParameters, OTHER_NAMES, WHOLE)


def recommend_query(given: RecommendParameters, user_id: str | None, now: int) -> Query:
    """Return the query that parameters mean; raise `InvalidQueryError`."""
    kept, asked = _ASKED.get(id(given), _NEVER)
    if kept is not given or asked is None:
        if len(_ASKED) >= MOST_KEPT:
            _ASKED.clear()
        asked = _asked(given)
        _ASKED[id(given)] = (given, asked)
    return msgspec.structs.replace(
        asked,
        now=now,
        seed=new_seed(),
        user_id=None if user_id is None else path_id(user_id, "user_id"),
    )


def _asked(given: RecommendParameters) -> Query:
    """Return the query but for who asks and when."""
    filters, exclude = _filters(given)
    return Query(
        now=0,
        seed=0,
        scenario=given.scenario,
        item_id=given.item_id,
        item_ids=given.item_ids,
        model=given.model,
        k=given.k or 0,
        filters=filters,
        exclude=exclude,
        exclude_ids=given.exclude_ids,
        filter=conditions(given.filter),
        boost=given.boost,
        context=given.context,
        diversity_lambda=given.diversity_lambda,
        popularity_correction=given.popularity_correction,
        min_score=given.min_score,
        explain=given.explain,
        explain_top_k=given.explain_top_k,
        rules=_rules(given.rules) if isinstance(given, RuledParameters) else None,
    )


def body_of_recommend(body: bytes) -> RecommendBody:
    """Return what a body asks; raise `InvalidQueryError` that names the field."""
    return asked_in(_read_body, body)


def asked_in(read: Callable[[bytes], Asking], body: bytes) -> Asking:
    """Return what `read` finds asked in a body, ids and circumstances as texts.

    Raises `InvalidQueryError` that names the field.
    """
    given = read_body(read, body)
    return msgspec.structs.replace(
        given,
        item_id=None if given.item_id is None else str(given.item_id),
        item_ids=tuple(map(str, given.item_ids)),
        exclude_ids=tuple(map(str, given.exclude_ids)),
        context=as_context(given.context),
    )


def query_of_body(given: RecommendBody, now: int) -> Query:
    """Return the query that a body means; raise `InvalidQueryError`."""
    user_id = None if given.user_id is None else path_id(str(given.user_id), "user_id")
    return msgspec.structs.replace(
        _asked(given), now=now, seed=new_seed(), user_id=user_id, rules=given.rules
    )


def _rules(written: str | None) -> SlateRules | None:
    if written is None:
        return None
    try:
        return _read_rules(written)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error, "rules") from error


def similar_query(given: SimilarParameters, item_id: str, now: int) -> Query:
    """Return the query that parameters mean; raise `InvalidQueryError`."""
    filters, exclude = _filters(given)
    return Query(
        now=now,
        seed=new_seed(),
        item_id=path_id(item_id, "item_id"),
        scenario="similar",
        k=given.k,
        filters=filters,
        exclude=exclude,
        exclude_ids=given.exclude_ids,
        filter=conditions(given.filter),
        boost=given.boost,
        diversity_lambda=given.diversity_lambda,
    )


def path_id(written: str, field: str) -> str:
    """Return an id from an address or a parameter if it can be one."""
    return checked_id(written, field, InvalidQueryError)


def _filters(given: Filters) -> tuple[dict[str, Values], dict[str, Values]]:
    filters: dict[str, Values] = {}
    for text in given.filter:
        pair = pair_of(text)
        if pair is not None:
            name, value = pair
            filters[name] = (*filters.get(name, ()), value)
    named = {
        "product_group": given.product_group,
        "product_type": given.product_type,
        "category": given.category,
    }
    for name, values in named.items():
        if values:
            filters[name] = (*filters.get(name, ()), *values)
    exclude = {
        name: values
        for name, values in (("product_group", given.exclude_groups), ("product_type", given.exclude_types))
        if values
    }
    return filters, exclude


def conditions(texts: Values) -> Values:
    """Return those filters that are expressions rather than an attribute and its value."""
    return tuple(text for text in texts if pair_of(text) is None)


def pair_of(text: str) -> tuple[str, str] | None:
    """Return attribute and value of the short form `brand:acme`, None for an expression."""
    name, colon, value = text.partition(":")
    return (name, value) if colon and name and value and not _EXPRESSION.search(name) else None
