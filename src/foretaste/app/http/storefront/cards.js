// One recommended item as a card, and the parts that the detail dialog shares.

import { badge } from "./changes.js";
import { h, icon, s, starShape } from "./dom.js";
import { art } from "./poster.js";
import { about, percent, proposedBy } from "./words.js";

export const nameOf = (item) => item.title || item.item_id;

export function card(item, move, { take, act, open }) {
  const element = h("article", { class: "card", "data-id": item.item_id });
  const poster = h("div", { class: "poster" }, art(nameOf(item), item.categories), match(item), moved(move), heading(item, open));
  element.append(poster, why(item, poster), actions(item, take, act));
  return element;
}

export function skeleton() {
  return h("div", { class: "card skeleton", "aria-hidden": "true" }, h("div", { class: "poster" }), h("div", { class: "blank" }));
}

export function actions(item, take, act) {
  const name = nameOf(item);
  return h("div", { class: "actions" },
    h("button", {
      class: "act take", type: "button", title: take.label, "aria-label": `${take.label}: ${name}`,
      onclick: () => act(item, { type: take.type }),
    }, icon(take.icon)),
    stars(item, act),
    h("button", {
      class: "act", type: "button", title: "Not for me", "aria-label": `Not for me: ${name}`,
      onclick: () => act(item, { type: "dismiss" }),
    }, icon("cross")));
}

export function bars(evidence) {
  return h("ul", { class: "bars" }, evidence.map((past) =>
    h("li", {}, h("span", {}, past.item_name || past.item_id), h("b", {}, `${Math.round(past.contribution_pct)}%`),
      h("div", { class: "bar-line" }, h("i", { style: { width: `${Math.max(2, Math.min(100, past.contribution_pct))}%` } })))));
}

function heading(item, open) {
  const name = nameOf(item);
  return h("h3", {},
    h("button", { class: name.length > 22 ? "open long" : "open", type: "button", onclick: () => open(item) }, h("span", {}, name)),
    h("small", {}, about(item)));
}

export function match(item) {
  if (!item.match) return null;
  const round = 2 * Math.PI * 8;
  return h("div", { class: "match", title: "The chance that you go on to choose it" },
    s("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, s("circle", { cx: 10, cy: 10, r: 8 }),
      s("circle", { class: "part", cx: 10, cy: 10, r: 8, "stroke-dasharray": `${round * item.match} ${round}` })),
    `${percent(item.match)} match`);
}

function moved(move) {
  const found = badge(move);
  return found && h("span", { class: `moved ${found.kind}`, "aria-label": found.label }, found.text);
}

function why(item, poster) {
  const line = h("div", { class: "why" }, h("p", {}, item.reason));
  if (!item.explanation?.length) return line;
  const button = h("button", { type: "button", "aria-expanded": "false", "aria-label": `Why ${nameOf(item)}?` }, "Why?");
  let panel = null;
  button.addEventListener("click", () => {
    if (panel) panel.remove();
    panel = panel ? null : poster.appendChild(because(item));
    button.setAttribute("aria-expanded", String(panel !== null));
    button.textContent = panel ? "Close" : "Why?";
  });
  line.append(button);
  return line;
}

function because(item) {
  return h("div", { class: "because", role: "group", "aria-label": `Why ${nameOf(item)}` },
    h("h4", {}, "Because of"), bars(item.explanation),
    h("p", { class: "sources" }, `Proposed as: ${proposedBy(item.sources).join(", ")}.`));
}

function stars(item, act) {
  const group = h("div", { class: "stars", role: "group", "aria-label": `Rate ${nameOf(item)}` });
  const buttons = [1, 2, 3, 4, 5].map((value) => h("button", {
    class: "rate", type: "button", tabindex: value === 1 ? 0 : -1, "aria-label": `${value} of 5 stars`, title: `${value} of 5`,
    onclick: () => {
      buttons.forEach((button, at) => button.classList.toggle("lit", at < value));
      act(item, { type: "rating", value });
    },
  }, starShape()));
  group.append(...buttons);
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = Math.max(0, Math.min(4, buttons.indexOf(document.activeElement) + step));
    buttons.forEach((button, place) => button.setAttribute("tabindex", place === at ? "0" : "-1"));
    buttons[at].focus();
  });
  return group;
}
