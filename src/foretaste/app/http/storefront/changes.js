// What changed between two lists: for the badges on the cards and for the sentence above them.

import { plural } from "./words.js";

export function compare(before, after) {
  const old = new Map(before.map((item, place) => [item.item_id, place]));
  const fresh = new Set(after.map((item) => item.item_id));
  const moves = new Map();
  after.forEach((item, place) => {
    if (!old.has(item.item_id)) moves.set(item.item_id, { kind: "new", by: 0 });
    else if (old.get(item.item_id) !== place) {
      const by = old.get(item.item_id) - place;
      moves.set(item.item_id, { kind: by > 0 ? "up" : "down", by: Math.abs(by) });
    }
  });
  return { moves, gone: before.filter((item) => !fresh.has(item.item_id)).length };
}

// Returns a list of texts; those in an array of their own are to be stressed.
export function sentence(before, after, cause) {
  const { moves } = compare(before, after);
  const entered = after.filter((item) => moves.get(item.item_id)?.kind === "new");
  const risen = after
    .filter((item) => moves.get(item.item_id)?.kind === "up")
    .sort((one, other) => moves.get(other.item_id).by - moves.get(one.item_id).by)
    .filter((item) => moves.get(item.item_id).by > 1);
  const parts = [];
  if (entered.length) parts.push([[`${entered.length} new`]]);
  for (const item of risen.slice(0, entered.length ? 1 : 2)) {
    parts.push([[item.title || item.item_id], ` up ${moves.get(item.item_id).by}`]);
  }
  if (!parts.length) parts.push([moves.size ? `${plural(moves.size, "place")} changed` : "The list stands as it was"]);
  const words = parts.flatMap((part, at) => (at ? [", ", ...part] : part));
  if (!cause) return [...words, "."];
  const { before: verb, title, after: rest } = cause;
  return [...words, ", because ", verb, [title], `${rest}.`];
}

export function badge(move) {
  if (!move || (move.kind !== "new" && move.by < 2)) return null;
  if (move.kind === "new") return { text: "New", kind: "new", label: "new in the list" };
  const up = move.kind === "up";
  return { text: `${up ? "↑" : "↓"} ${move.by}`, kind: move.kind, label: `${up ? "up" : "down"} ${move.by}` };
}
