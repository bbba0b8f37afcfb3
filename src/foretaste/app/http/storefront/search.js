// Finding an item by name: a combobox over the catalog's search.

import * as api from "./api.js";
import { nameOf } from "./cards.js";
import { byId, h } from "./dom.js";
import { art } from "./poster.js";
import { about } from "./words.js";

const PAUSE = 120;

export function setUpSearch(open) {
  const input = byId("search");
  const list = byId("found");
  let found = [];
  let marked = -1;
  let timer = 0;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    marked = -1;
  };
  const choose = (item) => {
    close();
    input.value = "";
    open(item);
  };
  const mark = (place) => {
    marked = (place + found.length) % found.length;
    [...list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === marked)));
    list.children[marked].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", `found-${marked}`);
  };
  const look = async () => {
    const words = input.value.trim();
    if (!words) return close();
    let rows;
    try {
      found = (await api.search(words, 8)).items;
      rows = found.length ? found.map((item, at) => row(item, at, choose)) : [h("li", { class: "none" }, "Nothing has this name.")];
    } catch (error) {
      found = [];
      rows = [h("li", { class: "none" }, error.message)];
    }
    if (input.value.trim() !== words) return undefined;
    list.replaceChildren(...rows);
    list.hidden = false;
    marked = -1;
    return input.setAttribute("aria-expanded", "true");
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return close();
    if (list.hidden || !found.length) return undefined;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      return mark(marked + (event.key === "ArrowDown" ? 1 : marked < 0 ? 0 : -1));
    }
    if (event.key !== "Enter") return undefined;
    event.preventDefault(); // else the key would press the first button of the dialog that opens
    return choose(found[Math.max(0, marked)]);
  });
  input.addEventListener("blur", () => setTimeout(close, 150));
  input.addEventListener("focus", look);
}

function row(item, at, choose) {
  return h("li", { id: `found-${at}`, role: "option", "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); choose(item); } },
    h("span", { class: "mini" }, art(nameOf(item), item.categories)), h("span", {}, nameOf(item), h("small", {}, about(item))));
}
