"""What Gorse's users, items and feedback are here: pure functions to people, items and events."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from foretaste.adapters.files.event_chunks import UNKNOWN_AGE
from foretaste.adapters.gorse.labels import SEPARATOR, sorted_labels
from foretaste.adapters.gorse.records import GorseRecord
from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.errors import InvalidEventError, InvalidInputError, InvalidItemError
from foretaste.domain.event import Event
from foretaste.domain.item import Attribute, Item
from foretaste.events import people
from foretaste.events.items import MOST_CATEGORIES, parse_item
from foretaste.events.moments import format_moment, parse_moment
from foretaste.events.text import checked_id
from foretaste.events.validation import USUAL_LIMITS, parse_event

LONGEST_TITLE = 200
LONGEST_ATTRIBUTE = 256
TITLES = ("title", "name")
TRUE, FALSE = frozenset({"true", "t", "1"}), frozenset({"false", "f", "0"})
_GO_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d)(?: .*)?", re.ASCII)


def event_of(record: GorseRecord, types: Mapping[str, str], now: int) -> Event | None:
    """Return a feedback as an event, None where `types` maps its type to nothing.

    Other types are understood as `POST /events` understands them, and feedback without a time counts as a
    day old, as rows of files do. The event's id follows from the feedback's own key (type, user, item) and
    time, so that it is taken once whatever it is mapped to, and again when Gorse noted a later one.

    Raises `InvalidEventError`.
    """
    written = str(record.get("feedback_type", ""))
    kind = types.get(written, written)
    if not kind and written:
        return None
    time = _moment(record, InvalidEventError)
    labels = sorted_labels(record.get("labels")).attributes
    context = {**labels, **({"comment": record["comment"]} if "comment" in record else {})}
    raw = {
        "user_id": record.get("user_id"),
        "item_id": record.get("item_id"),
        "type": kind,
        "value": _number(record.get("value")) or None,
        "timestamp": format_moment(now - UNKNOWN_AGE if time is None else time),
        "context": {name: _short(value) for name, value in context.items()},
        "event_id": _event_id(record, time),
    }
    return parse_event(raw, now=now).event


def item_of(record: GorseRecord, now: int) -> Item:
    """Return an item. Raises `InvalidItemError`.

    Its categories come first, then the texts of lists among its labels. The comment is the title if it is
    one short line and no label is called `title` or `name`; else it is the text. The longest list of numbers
    is the vector. An item of the future is available from its time on; else that is an attribute.
    """
    labels = sorted_labels(record.get("labels"))
    attributes = {name: value for name, value in labels.attributes.items() if not _long(value)}
    texts = [str(value) for value in labels.attributes.values() if _long(value)]
    title = next((str(attributes.pop(name)) for name in TITLES if name in attributes), "")
    comment = str(record.get("comment", ""))
    if not title and comment and len(comment) <= LONGEST_TITLE and "\n" not in comment:
        title, comment = comment, ""
    words = list(dict.fromkeys([*_words(record.get("categories")), *labels.tags]))
    time = _moment(record, InvalidItemError)
    later = time is not None and time > now
    raw: dict[str, Any] = {
        "item_id": record.get("item_id"),
        "title": title,
        "text": "\n".join(part for part in (comment, *texts, " ".join(words[MOST_CATEGORIES:])) if part),
        "categories": words[:MOST_CATEGORIES],
        "hidden": _truth(record.get("is_hidden")),
        "available_from": format_moment(time) if time is not None and later else None,
        "vector": max(labels.vectors, key=len, default=None),
        "attributes": attributes,
    }
    if time is not None and not later:
        raw["attributes"] = {"timestamp": time / MICROS_PER_SECOND, **attributes}
    return parse_item(raw)


def person_of(record: GorseRecord) -> tuple[str, dict[str, Attribute]]:
    """Return a user's id and what is told of them: labels by name, each text of a list as `text: true`.

    Of more than people may have, the first are kept. Raises `InvalidInputError`.
    """
    labels = sorted_labels(record.get("labels"))
    told: dict[str, Attribute] = {**labels.attributes, **dict.fromkeys(labels.tags, True)}
    if "comment" in record:
        told.setdefault("comment", str(record["comment"]))
    user_id = checked_id(record.get("user_id"), "user_id", InvalidInputError)
    named = {
        name.replace("=", ":")[: people.LONGEST_NAME]: _short(value)
        for name, value in list(told.items())[: people.MOST_ATTRIBUTES]
    }
    return user_id, people.parse_attributes(user_id, named)


def _event_id(record: GorseRecord, time: int | None) -> str:
    facts = [str(record.get(name, "")) for name in ("feedback_type", "user_id", "item_id")]
    key = "\0".join([*facts, str(time or 0)]).encode("utf-8", "surrogatepass")
    return f"gorse-{blake2b(key, digest_size=16).hexdigest()}"


def _moment(record: GorseRecord, error: type[InvalidInputError]) -> int | None:
    """Return a time in microseconds; None for none, which Gorse writes as the year 1."""
    written = record.get("timestamp")
    if written is None or str(written).startswith("0001-"):
        return None
    in_go = _GO_TIME.fullmatch(str(written))
    try:
        return parse_moment(f"{in_go[1]}T{in_go[2]}{in_go[3]}:{in_go[4]}" if in_go else written)
    except (ValueError, TypeError) as wrong:
        raise error(f"timestamp {wrong}", field="timestamp") from wrong


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError) as wrong:
        raise InvalidEventError(f"value must be a number, not {value!r}", field="value") from wrong


def _truth(value: Any) -> bool:
    """Return what a truth value says; Gorse's own CSV may write it in any way that Go reads."""
    written = "false" if value is None else str(value).strip().lower()
    if written not in TRUE | FALSE:
        raise InvalidItemError(f"is_hidden must be true or false, not {value!r}", field="is_hidden")
    return written in TRUE


def _words(value: Any) -> list[str]:
    words = value.split(SEPARATOR) if isinstance(value, str) else value or []
    return [str(word).strip() for word in words if str(word).strip()]


def _long(value: Attribute) -> bool:
    return isinstance(value, str) and len(value) > LONGEST_ATTRIBUTE


def _short(value: Attribute) -> Attribute:
    """Return a value whose text has as many bytes as a context may hold."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "replace")[: USUAL_LIMITS.context_bytes].decode("utf-8", "ignore")
