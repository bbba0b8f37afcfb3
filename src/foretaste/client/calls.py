"""What can be asked of the service: each function says one request and the type of its answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from foretaste.client.answers import (
    Attribute,
    CatalogItem,
    Health,
    ItemChange,
    ItemReceipt,
    ManyRecommendations,
    Merged,
    PastRecommendations,
    Person,
    Profile,
    Receipt,
    Recommendations,
)
from foretaste.client.errors import UnreadableAnswerError
from foretaste.client.events import Event, GivenEvent, all_identified

T = TypeVar("T")
Values: TypeAlias = str | Sequence[str]
encoded = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request. `repeatable`: to send it twice is as good as once."""

    method: str
    target: str
    answer: type[T]
    body: bytes | None = None
    repeatable: bool = True
    timeout: float | None = field(default=None)

    def read(self, body: bytes) -> T:
        """Return the answer in `body`; raise `UnreadableAnswerError`."""
        try:
            return msgspec.json.decode(body, type=self.answer)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise UnreadableAnswerError(
                f"{self.method} {self.target}: {error}; is this the address of a Foretaste service?"
            ) from error


def recommend(
    user_id: str | None = None,
    *,
    k: int | None = None,
    scenario: str | None = None,
    item_ids: Sequence[str] = (),
    model: str | None = None,
    filter: Values = (),  # noqa: A002 - the parameter's name
    boost: Values = (),
    category: Values = (),
    exclude_ids: Sequence[str] = (),
    diversity_lambda: float | None = None,
    min_score: float | None = None,
    explain: bool = False,
    explain_top_k: int | None = None,
    dry_run: bool = False,
    debug: bool = False,
    context: Mapping[str, Attribute] | None = None,
    rules: Mapping[str, Any] | None = None,
    cursor: str | None = None,
    page_id: str | None = None,
    timeout: float | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Call[Recommendations]:
    """Ask what to show to a person now; without one, what is trending.

    Arguments are the parameters of `GET /recommend`; `parameters` are sent as they stand. `timeout` (seconds)
    goes along, so that the service leaves out what would take longer. `rules` are of the list as a whole (see
    `POST /recommend`, which is asked then, and where a name in a list holds a comma); an empty `cursor` asks
    for the first page, `next_cursor` of the answer for the one after it; under one `page_id` no box repeats
    another.
    """
    lists = {"item_ids": item_ids, "category": _several(category), "exclude_ids": exclude_ids}
    query = {
        "k": k,
        "scenario": scenario,
        "model": model,
        "filter": _several(filter),
        "boost": _several(boost),
        "diversity_lambda": diversity_lambda,
        "min_score": min_score,
        "explain": explain or None,
        "explain_top_k": explain_top_k,
        "dry_run": dry_run or None,
        "debug": debug or None,
        "page_id": page_id,
        "cursor": cursor,
        **(parameters or {}),
    }
    if rules is not None or any("," in name for names in lists.values() for name in names):
        texts = {name: _text(value) for name, value in (context or {}).items()}
        body = {**query, **lists, "user_id": user_id, "context": texts, "rules": rules}
        return Call("POST", "/recommend", Recommendations, encoded(_given(body)), timeout=timeout)
    query |= {name: ",".join(values) or None for name, values in lists.items()}
    query |= {f"context_{name}": value for name, value in (context or {}).items()}
    path = "/recommend" if user_id is None else f"/recommend/{segment(user_id)}"
    return Call("GET", path + query_string(query), Recommendations, timeout=timeout)


def recommend_many(
    user_ids: Iterable[str], question: Mapping[str, Any] | None = None, *, timeout: float | None = None
) -> Call[ManyRecommendations]:
    """Ask the same about each of many people, in one request.

    One who cannot be answered spoils it for nobody. `question` has the members of the body of
    `POST /recommend`, as `{"k": 5, "scenario": "email"}`.
    """
    body = {**(question or {}), "user_ids": list(user_ids)}
    return Call("POST", "/recommend/batch", ManyRecommendations, encoded(body), timeout=timeout)


def similar(
    item_id: str,
    *,
    k: int | None = None,
    filter: Values = (),  # noqa: A002 - the parameter's name
    boost: Values = (),
    category: Values = (),
    exclude_ids: Sequence[str] = (),
    diversity_lambda: float | None = None,
    page_id: str | None = None,
    timeout: float | None = None,
) -> Call[Recommendations]:
    """Ask which items are like one item; under one `page_id` no box repeats another.

    Names in `category` and `exclude_ids` may hold commas.
    """
    categories, kept, expressed = _several(category), exclude_ids, list(_several(filter))
    if any("," in name for name in categories):
        expressed.append(f"category in {_options(categories)}")
        categories = ()
    if any("," in name for name in kept):
        expressed.append(f"not item_id in {_options(kept)}")
        kept = ()
    query = {
        "k": k,
        "filter": expressed,
        "boost": _several(boost),
        "category": ",".join(categories),
        "exclude_ids": ",".join(kept),
        "diversity_lambda": diversity_lambda,
        "page_id": page_id,
    }
    return Call(
        "GET", f"/items/{segment(item_id)}/similar{query_string(query)}", Recommendations, timeout=timeout
    )


def personalize(
    user_id: str,
    candidates: Iterable[str | Mapping[str, Any]],
    *,
    context: Mapping[str, Attribute] | None = None,
    max_results: int | None = None,
    enable_diversity: bool = True,
    topic_diversity_threshold: float | None = None,
    filter: Values = (),  # noqa: A002 - the parameter's name
    boost: Values = (),
    explain: bool = False,
    timeout: float | None = None,
) -> Call[Recommendations]:
    """Put candidates in order for a person: ids, or items with `id`, `title`, `content`, `topics`."""
    wanted = {
        "enable_diversity": enable_diversity,
        "topic_diversity_threshold": topic_diversity_threshold,
        "max_results": max_results,
    }
    body = {
        "user_id": user_id,
        "candidates": list(candidates),
        "context": dict(context or {}),
        "diversity_params": {name: value for name, value in wanted.items() if value is not None},
        "filter": _several(filter),
        "boost": _several(boost),
        "explain": explain,
    }
    return Call("POST", "/personalize", Recommendations, encoded(body), timeout=timeout)


def recommendation(recommendation_id: str, *, reproduce: bool = False) -> Call[PastRecommendations]:
    """Ask for a past answer: what was shown, what it was made from and, if wanted, the answer made again."""
    query = query_string({"reproduce": reproduce or None})
    return Call("GET", f"/recommendations/{segment(recommendation_id)}{query}", PastRecommendations)


def record(
    *,
    user_id: str,
    item_id: str,
    type: str,  # noqa: A002 - the field's name
    value: float | None = None,
    timestamp: str | float | None = None,
    session_id: str | None = None,
    recommendation_id: str | None = None,
    context: Mapping[str, Attribute] | None = None,
    event_id: str = "",
) -> Call[Receipt]:
    """Tell what a person did; it is in the very next answer."""
    event = Event(
        user_id=user_id,
        item_id=item_id,
        type=type,
        value=value,
        timestamp=timestamp,
        session_id=session_id,
        recommendation_id=recommendation_id,
        context=dict(context or {}),
        event_id=event_id,
    )
    return record_many([event])


def record_many(events: Iterable[GivenEvent]) -> Call[Receipt]:
    """Tell what people did; the receipt has a status for each event.

    Every event gets an id here unless it has one, so that no retry doubles it.
    """
    return Call("POST", "/events", Receipt, encoded(all_identified(events)))


def profile(
    user_id: str, *, recent_limit: int | None = None, top_categories: int | None = None
) -> Call[Profile]:
    """Ask what a person did lately, and what their taste is made of."""
    query = query_string({"recent_limit": recent_limit, "top_categories": top_categories})
    return Call("GET", f"/users/{segment(user_id)}/profile{query}", Profile)


def item(item_id: str) -> Call[CatalogItem]:
    """Ask for an item of the catalog."""
    return Call("GET", f"/items/{segment(item_id)}", CatalogItem)


def put_item(item_id: str, fields: Mapping[str, Any]) -> Call[ItemChange]:
    """Insert or replace an item: `title`, `text`, `categories`, and whatever else it has as attributes."""
    return Call("PUT", f"/items/{segment(item_id)}", ItemChange, encoded(dict(fields)))


def put_items(items: Iterable[Mapping[str, Any]]) -> Call[ItemReceipt]:
    """Insert or replace items, each with its `item_id`; the receipt has a status for each."""
    return Call("PUT", "/items", ItemReceipt, encoded([dict(fields) for fields in items]))


def delete_item(item_id: str) -> Call[ItemChange]:
    """Delete an item: it is in no answer from now on."""
    return Call("DELETE", f"/items/{segment(item_id)}", ItemChange)


def person(user_id: str) -> Call[Person]:
    """Ask what is told of a person."""
    return Call("GET", f"/users/{segment(user_id)}", Person)


def put_person(user_id: str, attributes: Mapping[str, Attribute | None]) -> Call[Person]:
    """Replace what is told of a person: age, country, whatever there is."""
    return Call("PUT", f"/users/{segment(user_id)}", Person, encoded({"attributes": dict(attributes)}))


def merge(from_user_id: str, into_user_id: str) -> Call[Merged]:
    """Make an anonymous id a known person: two histories become one."""
    body = {"from_user_id": from_user_id, "into_user_id": into_user_id}
    return Call("POST", "/users/merge", Merged, encoded(body))


def health() -> Call[Health]:
    """Ask how the service is; `BusyError` where it cannot answer as it should."""
    return Call("GET", "/health", Health)


def segment(name: str) -> str:
    """Return an id, or another name, as one segment of an address; dots alone would mean a folder."""
    return name.replace(".", "%2E") if name in {".", ".."} else quote(name, safe="")


def _several(values: Values) -> Sequence[str]:
    return (values,) if isinstance(values, str) and values else values


def _options(names: Sequence[str]) -> str:
    """Return names as the options of an expression, for lists that commas would take apart."""
    texts = [name.replace("\\", "\\\\").replace('"', '\\"') for name in names]
    return "(" + ", ".join(f'"{text}"' for text in texts) + ")"


def _text(value: Attribute) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that are given; an empty cursor is one, and asks for the first page."""
    return {
        name: value
        for name, value in parameters.items()
        if value not in (None, "", (), []) or (name == "cursor" and value is not None)
    }


def query_string(parameters: Mapping[str, Any]) -> str:
    """Return the parameters that are given, with the question mark."""
    given = {
        name: _text(value) if isinstance(value, bool) else value for name, value in _given(parameters).items()
    }
    return f"?{urlencode(given, doseq=True, quote_via=quote)}" if given else ""
