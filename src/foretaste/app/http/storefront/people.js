// Choosing a person from the data, naming one, or being someone new.

import * as api from "./api.js";
import { byId, h } from "./dom.js";
import { avatarColours } from "./poster.js";
import { initials, personName, plural } from "./words.js";

const KEY = "foretaste.user";
const MOODS = ["curious", "quiet", "sunny", "brave", "gentle", "clever", "merry", "swift", "bold", "early"];
const ANIMALS = ["otter", "heron", "fox", "lynx", "wren", "badger", "marten", "owl", "hare", "robin"];
const pick = (words) => words[Math.floor(Math.random() * words.length)];

export const newcomer = () => `guest-${pick(MOODS)}-${pick(ANIMALS)}-${Math.floor(1000 + Math.random() * 9000)}`;

export async function firstPerson() {
  const asked = new URLSearchParams(location.search).get("user") ?? remembered();
  if (asked) return asked;
  const { users } = await api.people(9).catch(() => ({ users: [] }));
  return users.find((user) => user.events >= 20)?.user_id ?? newcomer();
}

export function remember(user) {
  try {
    localStorage.setItem(KEY, user);
  } catch {
    // Private windows have no storage; the choice then lasts for this page.
  }
}

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function showPerson(user) {
  const button = byId("person");
  const face = button.querySelector(".avatar");
  face.textContent = initials(user);
  face.style.background = avatarColours(user);
  button.querySelector(".name").textContent = personName(user);
  button.setAttribute("aria-label", `${personName(user)}: choose another person`);
}

export function setUpPeople(current, choose) {
  const dialog = byId("people");
  const finish = (user) => {
    dialog.close();
    choose(user);
  };
  byId("newcomer").addEventListener("click", () => finish(newcomer()));
  byId("named").addEventListener("submit", (event) => {
    event.preventDefault();
    const id = byId("named-id").value.trim();
    if (id) finish(id);
  });
  byId("person").addEventListener("click", async () => {
    byId("named-id").value = "";
    dialog.showModal();
    const { users } = await api.people(12).catch(() => ({ users: [] }));
    byId("known").replaceChildren(...users.map((user) => known(user, user.user_id === current(), finish)));
  });
}

function known({ user_id: id, events }, chosen, finish) {
  return h("button", { type: "button", "aria-current": chosen ? "true" : null, onclick: () => finish(id) },
    h("span", { class: "avatar", style: { background: avatarColours(id) }, "aria-hidden": "true" }, initials(id)),
    h("span", {}, h("b", {}, personName(id)), h("small", {}, plural(events, "event"))));
}
