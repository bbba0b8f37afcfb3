// What the list is made of: the scenario that is asked, and a filter and a boost in words of one's own.

import * as api from "./api.js";
import { byId, h } from "./dom.js";
import { scenarioWords } from "./words.js";

const FIRST = ["home", "because-you-watched", "next-in-session", "discover", "new", "trending", "popular"];
const place = ({ name }) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);

// Offers the scenarios that need no items; `change(what, value)` is told what was chosen or written.
export async function setUpRecipe(change) {
  const { scenarios } = await api.scenarios();
  const asked = scenarios.filter((one) => !one.needs_items && one.name !== "similar").sort((a, b) => place(a) - place(b));
  const choice = byId("scenario");
  choice.replaceChildren(...asked.map(({ name }) => h("option", { value: name }, scenarioWords(name))));
  choice.addEventListener("change", () => change("scenario", choice.value, scenarioWords(choice.value)));
  for (const name of ["filter", "boost"]) {
    const field = byId(name);
    field.addEventListener("change", () => change(name, field.value.trim(), field.value.trim() || `no ${name}`));
  }
}

// Says what is wrong with what was written, pointing at the character; nothing where all is well.
export function showWrong(detail) {
  const wrong = byId("wrong");
  wrong.textContent = detail ?? "";
  wrong.hidden = !detail;
  for (const name of ["filter", "boost"]) {
    byId(name).setAttribute("aria-invalid", String(Boolean(detail?.startsWith(name))));
  }
}
