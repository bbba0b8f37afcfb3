"""Canonical snapshots of a state: the same for equal states, however these came to be and lie in memory."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Int64s, Mask
from foretaste.domain.errors import CorruptSnapshotError
from foretaste.domain.kernel import unshared_kernel
from foretaste.features import tables as t
from foretaste.features.keyed_rows import build_index
from foretaste.features.popularity import SLOTS
from foretaste.features.tables import Arrays, new_arrays, with_spare
from foretaste.features.touches import PERSON

_FORMAT = 3
_LAYOUT: dict[str, tuple[type[np.generic], int]] = {
    "header": (np.int64, 0),
    "signature": (np.uint8, 0),
    "users": (np.int64, 3),
    "items": (np.int64, 2),
    "buckets": (np.int32, SLOTS),
    "history_lengths": (np.int64, 0),
    "history": (np.int64, 3),
    "history_weights": (np.float32, 0),
    "tally_lengths": (np.int64, 0),
    "tally": (np.int64, 3),
    "neighbour_lengths": (np.int64, 0),
    "neighbours": (np.int64, 2),
    "touch_lengths": (np.int64, 0),
    "touches": (np.int64, 0),
    "merging": (np.int64, 0),
}
"""Name → dtype and number of columns (0: one-dimensional)."""


def gathered_arrays(arrays: Arrays, signature: bytes) -> dict[str, NDArray[Any]]:
    """Return a copy of the content, row after row; `canonical` does the rest.

    `signature` stands for the configuration that the content belongs to.
    """
    users = arrays.users[: arrays.counts[t.N_USERS]]
    items = arrays.items[: arrays.counts[t.N_ITEMS]]
    window = _places(users[:, t.HISTORY] + users[:, t.HISTORY_OFFSET], users[:, t.HISTORY_LENGTH])
    return {
        "header": np.array([_FORMAT, arrays.counts[t.SEQ], arrays.counts[t.LATEST]], np.int64),
        "signature": np.frombuffer(signature, np.uint8),
        "users": users[:, [t.EVENTS, t.FIRST, t.LAST]],
        "items": items[:, [t.INTERACTIONS, t.NEWEST]],
        "buckets": arrays.buckets[: len(items)].copy(),
        "history_lengths": users[:, t.HISTORY_LENGTH].copy(),
        "history": arrays.history[window],
        "history_weights": arrays.weight[window],
        "tally_lengths": users[:, t.TALLY_LENGTH].copy(),
        "tally": arrays.tally[_places(users[:, t.TALLY], users[:, t.TALLY_LENGTH])],
        "neighbour_lengths": items[:, t.ROW_LENGTH].copy(),
        "neighbours": arrays.pairs[_places(items[:, t.ROW], items[:, t.ROW_LENGTH])],
        "touch_lengths": items[:, t.TOUCH_LENGTH].copy(),
        "touches": arrays.touches[_places(items[:, t.TOUCH], items[:, t.TOUCH_LENGTH])],
    }


def seq_of_snapshot(snapshot: Mapping[str, NDArray[Any]]) -> int:
    """Return the sequence number of the last event that is in a snapshot."""
    return int(snapshot["header"][1])


def canonical(gathered: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the snapshot: neighbours that became zero left out, rows sorted by their keys."""
    owner = np.repeat(np.arange(len(gathered["items"])), gathered["neighbour_lengths"])
    kept = gathered["neighbours"][:, 1] != 0
    pairs, owner = gathered["neighbours"][kept], owner[kept]
    tally = gathered["tally"]
    tally_owner = np.repeat(np.arange(len(gathered["users"])), gathered["tally_lengths"])
    touches = gathered["touches"]
    touched = np.repeat(np.arange(len(gathered["items"])), gathered["touch_lengths"])
    return {
        **gathered,
        "tally": tally[np.lexsort((tally[:, 0], tally_owner))],
        "neighbour_lengths": np.bincount(owner, minlength=len(gathered["items"])).astype(np.int64),
        "neighbours": pairs[np.argsort(owner << 32 | pairs[:, 0])],
        "touches": touches[np.lexsort((touches, touched))],
    }


def arrays_of_snapshot(snapshot: Mapping[str, NDArray[Any]], signature: bytes, window: int) -> Arrays:
    """Return working arrays with the content of `snapshot`; raise `CorruptSnapshotError` if it cannot be."""
    _check(snapshot, signature)
    n_users, n_items = len(snapshot["users"]), len(snapshot["items"])
    levels = {
        name: _levels(snapshot[f"{name}_lengths"]) for name in ("history", "tally", "neighbour", "touch")
    }
    starts = {name: _starts(level) for name, level in levels.items()}
    arrays = new_arrays(
        window,
        users=max(with_spare(n_users), 64),
        items=max(with_spare(n_items), 64),
        history=max(with_spare(starts["history"][-1]), 256),
        tally=max(with_spare(starts["tally"][-1]), 256),
        pairs=max(with_spare(starts["neighbour"][-1]), 256),
        touches=max(with_spare(starts["touch"][-1]), 256),
    )
    users, items = arrays.users[:n_users], arrays.items[:n_items]
    users[:, t.HISTORY], users[:, t.TALLY] = starts["history"][:-1], starts["tally"][:-1]
    users[:, t.HISTORY_LENGTH] = snapshot["history_lengths"]
    users[:, t.HISTORY_LEVEL], users[:, t.TALLY_LEVEL] = levels["history"], levels["tally"]
    users[:, t.TALLY_LENGTH] = snapshot["tally_lengths"]
    users[:, [t.EVENTS, t.FIRST, t.LAST]] = snapshot["users"]
    users[:, t.USER_SEQ] = np.where(users[:, t.EVENTS] > 0, snapshot["header"][1], 0)
    users[snapshot["merging"][2::2], t.USER_SEQ] = snapshot["header"][1]
    items[:, t.ROW], items[:, t.ROW_LEVEL] = starts["neighbour"][:-1], levels["neighbour"]
    items[:, t.ROW_LENGTH] = snapshot["neighbour_lengths"]
    items[:, t.TOUCH], items[:, t.TOUCH_LEVEL] = starts["touch"][:-1], levels["touch"]
    items[:, t.TOUCH_LENGTH] = snapshot["touch_lengths"]
    items[:, [t.INTERACTIONS, t.NEWEST]] = snapshot["items"]
    arrays.buckets[:n_items] = snapshot["buckets"]
    histories = users[:, t.HISTORY], users[:, t.HISTORY_LENGTH]
    _lay_out(snapshot["history"], *histories, arrays.history)
    _lay_out(snapshot["history_weights"][:, np.newaxis], *histories, arrays.weight[:, np.newaxis])
    _lay_out(snapshot["tally"], users[:, t.TALLY], users[:, t.TALLY_LENGTH], arrays.tally)
    _lay_out(snapshot["neighbours"], items[:, t.ROW], items[:, t.ROW_LENGTH], arrays.pairs)
    touched = items[:, t.TOUCH], items[:, t.TOUCH_LENGTH]
    _lay_out(snapshot["touches"][:, np.newaxis], *touched, arrays.touches[:, np.newaxis])
    arrays.blocks[:, 0] = [starts[name][-1] for name in ("history", "tally", "neighbour", "touch")]
    arrays.stale[:n_items] = True
    arrays.counts[[t.N_USERS, t.N_ITEMS, t.N_STALE]] = n_users, n_items, n_items
    arrays.counts[[t.SEQ, t.LATEST]] = snapshot["header"][1:]
    _index_rows(arrays, n_users, n_items)
    return arrays


@unshared_kernel
def _index_rows(a: Arrays, n_users: int, n_items: int) -> None:
    for user in range(n_users):
        row = a.users[user]
        build_index(a.tally, a.tally_index, row[t.TALLY], row[t.TALLY_LENGTH], row[t.TALLY_LEVEL])
    for item in range(n_items):
        row = a.items[item]
        build_index(a.pairs, a.pair_index, row[t.ROW], row[t.ROW_LENGTH], row[t.ROW_LEVEL])


@unshared_kernel
def _lay_out(rows: NDArray[Any], starts: Int64s, lengths: Int64s, arranged: NDArray[Any]) -> None:
    """Copy rows that lie one after the other to where each owner's start, so many of them."""
    row = 0
    for owner in range(len(starts)):
        for place in range(starts[owner], starts[owner] + lengths[owner]):
            for column in range(rows.shape[1]):
                arranged[place, column] = rows[row, column]
            row += 1


def _places(starts: Int64s, lengths: Int64s) -> Int64s:
    """Return the places of all rows after one another."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    places: Int64s = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
    return places


def _levels(lengths: Int64s) -> Int64s:
    """Return the least level whose blocks hold each length (see `keyed_rows`)."""
    levels = np.ceil(np.log2(np.maximum(lengths, 4))).astype(np.int64) - 1
    return np.where(lengths == 0, 0, levels)


def _starts(levels: Int64s) -> Int64s:
    """Return where blocks of these levels start when laid one after the other, and the end of the last."""
    rooms = np.where(levels > 0, np.int64(2) << levels, 0)
    return np.concatenate(([0], np.cumsum(rooms)))


def _check(snapshot: Mapping[str, NDArray[Any]], signature: bytes) -> None:
    """Raise unless everything that memory is addressed by is as it must be."""
    for name, (dtype, columns) in _LAYOUT.items():
        array = snapshot.get(name)
        if array is None or array.dtype != dtype or array.ndim != (2 if columns else 1):
            raise CorruptSnapshotError(f"the snapshot's `{name}` is missing or of another kind", field=name)
        _require(not columns or array.shape[1] == columns, name)
    header = snapshot["header"]
    _require(len(header) == 3 and int(header[0]) == _FORMAT and int(header[1]) >= 0, "header")
    if snapshot["signature"].tobytes() != signature:
        raise CorruptSnapshotError(
            "the snapshot was taken with other settings; fold the log again", field="signature"
        )
    n_users, n_items = len(snapshot["users"]), len(snapshot["items"])
    _require(len(snapshot["buckets"]) == n_items, "buckets")
    _require(len(snapshot["history_weights"]) == len(snapshot["history"]), "history_weights")
    for rows, owners in (
        ("history", n_users),
        ("tally", n_users),
        ("neighbour", n_items),
        ("touch", n_items),
    ):
        name = {"neighbour": "neighbours", "touch": "touches"}.get(rows, rows)
        lengths = snapshot[f"{rows}_lengths"]
        _require(len(lengths) == owners, f"{rows}_lengths")
        _require(bool(_within(lengths, len(snapshot[name]) + 1).all()), f"{rows}_lengths")
        _require(int(lengths.sum()) == len(snapshot[name]), name)
    _require(bool((snapshot["buckets"] >= 0).all()), "buckets")
    for name, column, shift in (("history", 2, t.TYPE_BITS), ("tally", 0, t.TYPE_BITS), ("neighbours", 0, 0)):
        ordinals = snapshot[name][:, column] >> shift
        _require(bool(_within(ordinals, n_items).all()), name)
    _require(bool(_within(snapshot["touches"] & PERSON, n_users).all()), "touches")
    merging = snapshot["merging"]
    _require(len(merging) >= 2 and len(merging) == 2 + 2 * int(merging[1]), "merging")
    _require(bool(_within(merging[2:], n_users).all()), "merging")


def _within(ordinals: NDArray[Any], limit: int) -> Mask:
    return np.asarray((ordinals >= 0) & (ordinals < limit))


def _require(holds: bool, name: str) -> None:
    if not holds:
        raise CorruptSnapshotError(
            f"the snapshot's `{name}` contradicts its other arrays; fold the log again", field=name
        )
