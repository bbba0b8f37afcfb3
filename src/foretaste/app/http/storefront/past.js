// What a person did lately, and what their taste is made of.

import { nameOf } from "./cards.js";
import { byId, h } from "./dom.js";
import { art, hash } from "./poster.js";
import { pastWords } from "./words.js";

const COLOURS = ["#e4572e", "#f2a541", "#5fae78", "#4a86d4", "#8465f2", "#b9568f"];
const colour = (name) => COLOURS[hash(name) % COLOURS.length];

export function showPast(profile, freshest, open) {
  const section = byId("past");
  const seen = new Set();
  const events = (profile?.recent_events ?? []).filter(({ item_id: id }) => !seen.has(id) && seen.add(id));
  section.hidden = events.length === 0;
  section.querySelector("ol").replaceChildren(...events.map((event) => {
    const fresh = event.item_id === freshest;
    return h("li", { class: fresh ? "fresh" : null }, h("button", { type: "button", onclick: () => open(event) },
      h("span", { class: "mini" }, art(nameOf(event), event.categories)),
      h("span", { class: "what" }, h("b", {}, nameOf(event)),
        h("small", { class: event.type === "rating" ? "rated" : null }, pastWords(event)))));
  }));
  if (freshest) section.querySelector("ol").scrollTo({ left: 0, behavior: "smooth" });
}

export function showTaste(profile) {
  const place = byId("taste");
  const shares = tasteOf(profile);
  place.hidden = shares.length === 0;
  const used = new Set();
  const coloured = shares.map(([name, share]) => {
    const free = COLOURS.filter((one) => !used.has(one));
    const chosen = used.has(colour(name)) ? free[0] ?? colour(name) : colour(name);
    used.add(chosen);
    return { name, share, chosen };
  });
  place.querySelector(".blend").replaceChildren(...coloured.map(({ share, chosen }) =>
    h("span", { style: { flexGrow: String(share), background: chosen } })));
  place.querySelector("ul").replaceChildren(...coloured.slice(0, 5).map(({ name, share, chosen }) =>
    h("li", {}, h("i", { style: { background: chosen } }), name, h("b", {}, `${Math.round(share)}%`))));
}

function tasteOf(profile) {
  const groups = profile?.top_product_groups ?? [];
  if (groups.length) return groups.map(({ name, percentage }) => [name, percentage]);
  const counts = new Map();
  for (const { categories } of profile?.recent_events ?? []) {
    if (categories[0]) counts.set(categories[0], (counts.get(categories[0]) ?? 0) + 1);
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...counts].sort((one, other) => other[1] - one[1]).map(([name, count]) => [name, (100 * count) / total]);
}
