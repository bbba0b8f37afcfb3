// One item at large: why it is there, what one can do with it, and what is like it.

import * as api from "./api.js";
import { actions, bars, match, nameOf } from "./cards.js";
import { byId, h } from "./dom.js";
import { art } from "./poster.js";
import { about, percent, proposedBy } from "./words.js";

export function showDetail(item, { take, act, open }) {
  const dialog = byId("detail");
  const finish = (chosen, event) => {
    dialog.close();
    act(chosen, event);
  };
  const alike = h("div", { class: "alike" });
  const poster = h("div", { class: "poster" }, art(nameOf(item), item.categories), item.match ? match(item) : null);
  const words = h("div", {},
    h("h2", { id: "detail-title" }, nameOf(item)), h("p", { class: "meta" }, about(item)), actions(item, take, finish), evidence(item));
  dialog.querySelector(".detail").replaceChildren(poster, words, alike);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  showAlike(alike, item, open);
}

function evidence(item) {
  if (!item.explanation?.length) return item.reason ? h("p", {}, item.reason) : h("p", {});
  const share = item.explained_share
    ? h("p", { class: "share" }, `These make up ${percent(item.explained_share)} of what ranked it. Proposed as: ${proposedBy(item.sources).join(", ")}.`)
    : null;
  return h("div", {}, h("h3", {}, "It is here because of"), bars(item.explanation), share);
}

async function showAlike(place, item, open) {
  try {
    const { items } = await api.similar(item.item_id, 12);
    if (!items.length) return;
    place.append(h("h3", {}, "More like it"), h("ol", {}, items.map((other) => h("li", {},
      h("button", { class: "poster", type: "button", onclick: () => open(other) },
        art(nameOf(other), other.categories), h("b", {}, nameOf(other)))))));
  } catch {
    place.remove();
  }
}
