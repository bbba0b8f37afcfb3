// Light or dark: as the system has it, unless the person chose.

import { byId } from "./dom.js";

const KEY = "foretaste.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export function setUpTheme() {
  const root = document.documentElement;
  try {
    const chosen = localStorage.getItem(KEY);
    if (chosen) root.dataset.theme = chosen;
  } catch {
    // Without storage the system's choice stands.
  }
  byId("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem(KEY, root.dataset.theme);
    } catch {
      // The choice then lasts for this page.
    }
  });
}
