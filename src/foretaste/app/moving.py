"""All that a deployment holds, out to files and in again: from one kind of store to another."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TypeVar, get_args

import msgspec

from foretaste.adapters.files.export_folder import ExportReader, ExportWriter
from foretaste.app.home import Home
from foretaste.app.importing import import_events
from foretaste.app.stores import models_directory
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import Event
from foretaste.domain.item import Attribute, CatalogEntry, Item
from foretaste.domain.slate import Exposure
from foretaste.ports.blend_store import BlendRecord
from foretaste.ports.id_map import IdKind, IdMap
from foretaste.ports.scenario_store import ScenarioRecord

T = TypeVar("T")
CHUNK = 5_000
SECONDS = 60.0
IN_ORDER = 1
"""Batches under way at a time, so that events get the numbers that records of answers name."""
BESIDE = ("text-vectors-*.safetensors",)
"""Files beside the models without which the same model would answer otherwise."""
Advance = Callable[[int], object]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a person, as exported."""

    user_id: str
    attributes: dict[str, Attribute]


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """How much an export or import held."""

    events: int
    items: int
    people: int
    exposures: int
    models: int


def export_home(home: Home, folder: Path, *, advance: Advance = lambda _amount: None) -> Moved:
    """Write everything to `folder`, which must not be there yet.

    Ids go with their ordinals, so that models, state and links keep their meaning; the log with its numbers.
    Earlier versions of the catalog and the keys of events older than the log's horizon stay behind.

    Raises `InvalidInputError` where the folder is there.
    """
    writer = ExportWriter(folder)
    try:
        streams, last_seq = home.log.reached(), home.log.last_seq()
        for kind in get_args(IdKind):
            writer.records(f"ids-{kind}", home.id_map.names(kind))
        moved = Moved(
            events=writer.records("events", _events(home, last_seq, advance)),
            items=writer.records("items", home.catalog.changes(0)),
            people=writer.records("people", _people(home.profiles.all())),
            exposures=writer.records("exposures", _exposures(home)),
            models=_export_models(home, writer),
        )
        writer.records("blends", home.blends.records())
        writer.records("scenarios", home.scenario_records.records())
        writer.finish(
            namespace=home.settings.namespace,
            created_at=system_clock(),
            last_seq=last_seq,
            streams=streams,
        )
    finally:
        writer.discard()
    return moved


def import_home(home: Home, folder: Path, *, advance: Advance = lambda _amount: None) -> Moved:
    """Take an export into `home`, which must be empty or hold a part of the same export: then it goes on.

    Raises `NotFoundError` where `folder` holds no export, `CorruptDataError` where a file is not as it was
    written, and `InvalidInputError` where the home holds something else.
    """
    reader = ExportReader(folder)
    for kind in get_args(IdKind):
        _assign(home.id_map, kind, list(reader.records(f"ids-{kind}", str)))
    accepted, known = import_events(
        home.log, _batches(reader.records("events", Event)), advance, at_once=IN_ORDER
    )
    if home.log.last_seq() != reader.manifest.last_seq:
        raise InvalidInputError(
            f"the log holds {home.log.last_seq():,} events, the export {reader.manifest.last_seq:,}: "
            "the home held something else; import into an empty one",
            field="home",
        )
    if reader.manifest.streams:
        home.log.submit([], reached=reader.manifest.streams).result(SECONDS)
    people = {person.user_id: person.attributes for person in reader.records("people", Person)}
    home.put_people(people)
    exposures = _import_exposures(home, reader)
    home.blends.restore(reader.records("blends", BlendRecord))
    home.scenario_records.restore(reader.records("scenarios", ScenarioRecord))
    home.scenario_book.refresh()
    return Moved(
        events=accepted + known,
        items=_import_items(home, reader),
        people=len(people),
        exposures=exposures,
        models=_import_models(home, reader),
    )


def _batches(records: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(records)
    while batch := list(islice(waiting, CHUNK)):
        yield batch


def _events(home: Home, last_seq: int, advance: Advance) -> Iterator[Event]:
    after = 0
    while after < last_seq:
        found = home.log.events(after, min(CHUNK, last_seq - after))
        if not found:
            return
        for _, event in found:
            yield event
        advance(len(found))
        after = found[-1][0]


def _people(known: Mapping[str, Mapping[str, Attribute]]) -> Iterator[Person]:
    for user_id, attributes in known.items():
        yield Person(user_id=user_id, attributes=dict(attributes))


def _exposures(home: Home) -> Iterator[Exposure]:
    home.exposures.flush()
    return home.exposures.read()


def _assign(id_map: IdMap, kind: IdKind, names: list[str]) -> None:
    """Give `names` the ordinals 0, 1, 2, …; raise where some have others."""
    ordinals = id_map.assign(kind, names).tolist() if names else []
    if ordinals != list(range(len(names))):
        raise InvalidInputError(
            f"the home knows other {kind} ids than the export; import into an empty one", field="home"
        )


def _import_items(home: Home, reader: ExportReader) -> int:
    entries = list(reader.records("items", CatalogEntry))
    names = home.id_map.names("item")
    items = [entry.item or Item(item_id=names[entry.ordinal]) for entry in entries]
    for batch in _batches(items):
        home.put_items(batch)
    home.delete_items([names[entry.ordinal] for entry in entries if entry.item is None])
    return len(entries)


def _import_exposures(home: Home, reader: ExportReader) -> int:
    taken = 0
    for batch in _batches(reader.records("exposures", Exposure)):
        for exposure in batch:
            home.exposures.record(exposure)
        home.exposures.flush()
        taken += len(batch)
    return taken


def _export_models(home: Home, writer: ExportWriter) -> int:
    if home.directory is None or home.registry is None:
        return 0
    models = models_directory(home.directory, home.settings)
    if models.is_dir():
        writer.copy(models, "models")
    for pattern in BESIDE:
        for path in sorted(models.parent.glob(pattern)):
            writer.copy(path, path.name)
    return len(home.registry.versions())


def _import_models(home: Home, reader: ExportReader) -> int:
    if home.directory is None or home.registry is None:
        return 0
    folder = models_directory(home.directory, home.settings).parent
    for source, name in (copy for pattern in ("models/*", *BESIDE) for copy in reader.copies(pattern)):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return len(home.registry.versions())
