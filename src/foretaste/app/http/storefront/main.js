// The storefront: asks for a list, shows it, sends what people do, and shows what that changed.

import * as api from "./api.js";
import { card, nameOf, skeleton } from "./cards.js";
import { compare, sentence } from "./changes.js";
import { showDetail } from "./detail.js";
import { byId, h } from "./dom.js";
import { glide } from "./flip.js";
import { showPast, showTaste } from "./past.js";
import { firstPerson, newcomer, remember, setUpPeople, showPerson } from "./people.js";
import { setUpRecipe, showWrong } from "./recipe.js";
import { setUpSearch } from "./search.js";
import { setUpTheme } from "./theme.js";
import { causeOf, personName, scenarioWords, sourceWords } from "./words.js";

const WATCH = { type: "watch", label: "Watched it", icon: "play", hint: "Watch" };
const BUY = { type: "purchase", label: "Buy it", icon: "bag", hint: "Buy" };
const page = { user: "", known: false, items: [], categories: new Set(), variety: 0.2, take: WATCH, asked: 0, scenario: "home", filter: "", boost: "" };

const list = byId("list");

function count() {
  const columns = getComputedStyle(list).gridTemplateColumns.split(" ").length;
  const rows = Math.max(3, Math.ceil(12 / columns));
  return Math.min(50, columns * rows);
}

// Asks for the list and shows it; `cause` says why, `freshest` which item was acted upon.
async function refresh({ cause = null, freshest = null, anew = false } = {}) {
  const asked = (page.asked += 1);
  list.setAttribute("aria-busy", "true");
  list.classList.toggle("waiting", !anew && page.items.length > 0);
  if (anew) list.replaceChildren(...Array.from({ length: count() }, skeleton));
  try {
    await Promise.all(preparations.map((prepare) => prepare()));
    const start = performance.now();
    const slate = await api.recommend({ ...page, count: count() });
    const took = performance.now() - start;
    if (asked !== page.asked) return;
    showWrong(null);
    showList(slate, { cause, anew, took });
    const profile = mayBeKnown(slate, freshest) ? await api.profile(page.user) : null;
    if (asked === page.asked) {
      page.known = profile !== null;
      showHeadline(slate);
      if (anew) tell(hint(slate));
      showPast(profile, freshest, openItem);
      showTaste(profile);
    }
  } catch (error) {
    if (asked === page.asked) showTrouble(error);
  } finally {
    if (asked === page.asked) {
      list.setAttribute("aria-busy", "false");
      list.classList.remove("waiting");
    }
  }
}

function showList(slate, { cause, anew, took }) {
  const before = anew ? [] : page.items;
  const { moves } = anew ? { moves: new Map() } : compare(before, slate.items);
  const focused = list.contains(document.activeElement) ? document.activeElement.closest(".card")?.dataset.id : null;
  const cards = slate.items.map((item) => card(item, moves.get(item.item_id), { take: page.take, act, open: openItem }));
  glide(list, (child) => child.dataset?.id, () => list.replaceChildren(...cards));
  page.items = slate.items;
  showWords(slate, before, cause, anew);
  byId("note").hidden = true;
  if (!slate.items.length) showEmpty();
  if (focused) (cards.find((one) => one.dataset.id === focused)?.querySelector(".open") ?? list).focus({ preventScroll: true });
  byId("facts").textContent = `Answered in ${Math.max(1, Math.round(took))} ms, knowing ${slate.state_seq.toLocaleString()} events, by model ${slate.model_version}.`;
}

// A filter may leave only what is trending, or nothing, for somebody of whom much is known.
function mayBeKnown(slate, freshest) {
  return page.known || slate.source !== "trending" || freshest || page.filter || page.categories.size > 0;
}

const isForSomebody = (slate) => page.known || slate.source !== "trending" || page.scenario !== "home";

function showHeadline(slate) {
  byId("headline").textContent = slate.title || (isForSomebody(slate) ? "A taste of what comes next" : "Click something you like");
}

function showWords(slate, before, cause, anew) {
  const instead = slate.instead_of ? `, instead of ${scenarioWords(slate.instead_of)}` : "";
  byId("source").textContent = sourceWords(slate.source) + instead;
  showHeadline(slate);
  tell(anew ? hint(slate) : sentence(before, slate.items, cause));
  const place = byId("change");
  place.classList.remove("fresh");
  requestAnimationFrame(() => place.classList.toggle("fresh", !anew));
}

function hint(slate) {
  return isForSomebody(slate)
    ? [`${page.take.hint}, rate or dismiss anything: the list answers at once.`]
    : ["This is what everyone likes. After one click it is about ", [personName(page.user)], "."];
}

function tell(words) {
  byId("change").replaceChildren(...words.map((part) => (Array.isArray(part) ? h("strong", {}, part[0]) : part)));
}

function showNote(title, text, label, action) {
  const note = byId("note");
  note.querySelector(".title").textContent = title;
  note.querySelector(".text").textContent = text;
  const button = note.querySelector("button");
  button.textContent = label;
  button.onclick = action;
  note.hidden = false;
}

function showEmpty() {
  if (page.filter) {
    showNote("Nothing left here", `Nothing passes ${page.filter}.`, "Without this filter", () => {
      page.filter = byId("filter").value = "";
      refresh();
    });
  } else if (page.categories.size) {
    showNote("Nothing left here", "No item passes these filters.", "Show all genres", () => {
      page.categories.clear();
      byId("chips").querySelectorAll("button").forEach((chip) => chip.setAttribute("aria-pressed", "false"));
      refresh();
    });
  } else {
    showNote("Nothing to show yet", "The catalog is empty, or this person has had all of it.", "Be someone new", () => choosePerson(newcomer()));
  }
}

function showTrouble(error) {
  if (error.status === 400 && (page.filter || page.boost)) return showWrong(error.message);
  if (!page.items.length) list.replaceChildren();
  byId("change").textContent = error.message;
  showNote("No list just now", error.message, "Try again", () => {
    byId("note").hidden = true;
    refresh({ anew: page.items.length === 0 });
  });
}

async function act(item, what) {
  const event = { item_id: item.item_id, ...what };
  list.classList.add("waiting");
  try {
    await api.send(event);
  } catch (error) {
    list.classList.remove("waiting");
    byId("change").textContent = `Not recorded yet: ${error.message}`;
    return;
  }
  await refresh({ cause: causeOf(event, nameOf(item)), freshest: item.item_id });
}

function openItem(item) {
  const shown = page.items.find(({ item_id: id }) => id === item.item_id) ?? item;
  showDetail(shown, { take: page.take, act, open: openItem });
  act(shown, { type: "click" });
}

function choosePerson(user) {
  page.user = user;
  page.known = false;
  api.choose(user);
  remember(user);
  showPerson(user);
  refresh({ anew: true });
}

async function setUpChips() {
  const { categories, taken_by: takenBy } = await api.catalog();
  page.take = takenBy.includes("watch") ? WATCH : BUY;
  byId("chips").replaceChildren(...categories.map(({ name }) => h("button", {
    type: "button", "aria-pressed": "false",
    onclick: ({ currentTarget }) => {
      const on = !page.categories.delete(name);
      if (on) page.categories.add(name);
      currentTarget.setAttribute("aria-pressed", String(on));
      refresh({ cause: { before: on ? "you asked for " : "you let go of ", title: name, after: "" } });
    },
  }, name)));
}

function setUpVariety() {
  byId("variety").addEventListener("change", ({ currentTarget }) => {
    const wider = currentTarget.value / 100 > page.variety;
    page.variety = currentTarget.value / 100;
    refresh({ cause: { before: "you asked for ", title: wider ? "more variety" : "less variety", after: "" } });
  });
}

function changeRecipe(what, value, words) {
  page[what] = value;
  refresh({ cause: { before: "you asked for ", title: words, after: "" }, anew: what === "scenario" });
}

// Begins what has to be done once; what failed is begun again when it is asked for the next time.
function once(begin) {
  let begun = null;
  return () => (begun ??= begin().catch((error) => {
    begun = null;
    throw error;
  }));
}

const preparations = [once(setUpChips), once(() => setUpRecipe(changeRecipe))];

setUpTheme();
setUpVariety();
setUpSearch(openItem);
setUpPeople(() => page.user, choosePerson);
list.replaceChildren(...Array.from({ length: count() }, skeleton));
choosePerson(await firstPerson());
